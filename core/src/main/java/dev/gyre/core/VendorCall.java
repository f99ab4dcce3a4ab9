package dev.gyre.core;

import java.util.Arrays;
import uk.ac.manchester.tornado.api.common.Access;
import uk.ac.manchester.tornado.api.common.LibraryTaskDescriptor;

/**
 * A function of a vendor library in place of a kernel: TornadoVM's CUDA backend calls it on the device's arrays, from
 * their first element on.
 *
 * @param library TornadoVM's name for it: {@code nvidia/cublas} or {@code nvidia/cudnn}
 * @param function its function; the arguments are those of TornadoVM's factory of the same name
 * @param result index of the argument that it writes; it reads all
 */
public record VendorCall(String library, String function, int result) {
    /** TornadoVM's descriptor of this call with all the function's arguments. */
    public LibraryTaskDescriptor with(Object[] arguments) {
        Access[] access = new Access[arguments.length];
        Arrays.fill(access, Access.READ_ONLY);
        access[result] = Access.READ_WRITE;
        return new LibraryTaskDescriptor()
                .withLibrary(library)
                .withFunction(function)
                .withParameters(arguments)
                .withAccess(access);
    }
}
