package dev.gyre.core;

import java.util.Arrays;
import uk.ac.manchester.tornado.api.common.Access;
import uk.ac.manchester.tornado.api.common.LibraryTaskDescriptor;

/**
 * A function of a native library in place of a kernel: TornadoVM's CUDA backend calls it on the arrays where they lie, from their first
 * element on.
 *
 * @param library TornadoVM's name for it: {@code nvidia/cublas} or {@code nvidia/cudnn}
 * @param function its function, whose arguments are those of TornadoVM's factory of the same name
 * @param result which argument it writes, counted from 0; it reads all
 */
public record VendorCall(String library, String function, int result) {
    /** TornadoVM's description of this call with these arguments, as many as the function takes. */
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
