package dev.gyre.nn.device;

import uk.ac.manchester.tornado.api.math.TornadoMath;
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

    /**
     * {@code iterations}, hidden from the compiler's constant folding. TornadoVM unrolls loops of a few iterations, and a
     * GPU has too few registers for a long body several times.
     *
     * @param iterations iterations of the loop
     * @param thread the thread's number, which is never negative
     */
    public static int tripCount(int iterations, int thread) {
        return iterations + TornadoMath.min(thread, 0);
    }

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
