package dev.gyre.nn.device;

import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;

/**
 * What the matrix products of groups of threads share: 256 threads make a block of 64 × 64, 4 × 4 each, from bands of both sides
 * that they bring to local memory, 16 steps of the sum at a time. Local arrays are used in the kernels themselves and never handed
 * to a helper: TornadoVM then takes wrong places in them.
 */
public final class WorkGroups {
    /** Rows and columns of a block. */
    public static final int SIDE = 64;

    /** Threads that make one. */
    public static final int THREADS = 256;

    private WorkGroups() {}

    /** Element {@code i}, or 0 where it is not there. */
    public static float element(FloatArray a, int i, boolean there) {
        float v = 0f;
        if (there) v = a.get(i);
        return v;
    }

    public static float elementF16(HalfFloatArray a, int i, boolean there) {
        float v = 0f;
        if (there) v = a.get(i).getFloat32();
        return v;
    }
}
