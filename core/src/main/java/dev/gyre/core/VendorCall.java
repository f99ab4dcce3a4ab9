package dev.gyre.core;

import java.util.Arrays;
import uk.ac.manchester.tornado.api.common.Access;
import uk.ac.manchester.tornado.api.common.LibraryTaskDescriptor;

/**
 * A native library's function in place of a kernel. TornadoVM's CUDA backend calls it on arrays in device memory, starting at their first
 * element.
 *
 * @param library TornadoVM's name for the library: {@code nvidia/cublas} or {@code nvidia/cudnn}
 * @param function the function; its arguments are those of TornadoVM's factory method of the same name
 * @param result index of the argument that the function writes; it reads all arguments
 */
public record VendorCall(String library, String function, int result) {
    /** TornadoVM's description of this call; {@code arguments} holds all of the function's arguments. */
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
