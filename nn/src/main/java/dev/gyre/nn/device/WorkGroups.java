package dev.gyre.nn.device;

import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;

/**
 * Shared by GEMMs of work groups: 256 threads compute a block of 64 × 64, 4 × 4 each, from panels of both operands that
 * they load into local memory, 16 steps of K at a time. Local arrays are used in the kernels themselves and never
 * passed to a helper: TornadoVM would address them wrongly.
 */
public final class WorkGroups {
    /** Rows and columns of a block. */
    public static final int SIDE = 64;

    /** Threads of a work group. */
    public static final int THREADS = 256;

    private WorkGroups() {}

    /** Element {@code i}, or 0 where {@code valid} is false. */
    public static float element(FloatArray a, int i, boolean valid) {
        float v = 0f;
        if (valid) v = a.get(i);
        return v;
    }

    /** Likewise, of F16 elements. */
    public static float elementF16(HalfFloatArray a, int i, boolean valid) {
        float v = 0f;
        if (valid) v = a.get(i).getFloat32();
        return v;
    }
}
