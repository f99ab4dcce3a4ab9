package dev.gyre.nn.device;

import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Value;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;

/**
 * Shared by GEMMs on tensor cores. A work group of 4 warps computes a block of 64 × 64, each warp 32 × 32 of it, from
 * F16 panels of both operands that the work group loads into local memory, 16 steps of K at a time. An int in local
 * memory holds two elements: A as 64 rows of 16, B as 8 fragments of 16 rows of 8.
 *
 * <p>All threads of a warp take part in its mma instructions, so none stands in a branch: rows and columns beyond the
 * matrix repeat existing ones. Blocks are stored to scratch memory, the only place that a fragment can be stored to, and
 * from there each work group copies its own with bias and epilogue, without those rows and columns. K cannot be padded this way and must be a multiple of
 * 16.
 */
public final class TensorCores {
    /** Rows and columns of a block. */
    public static final int SIDE = 64;

    /** Threads of a work group: 4 warps. */
    public static final int THREADS = 128;

    /** K must be a multiple of this. */
    public static final int DEPTH = 16;

    private TensorCores() {}

    /** {@code size} rounded up to a multiple of a block's side. */
    public static int padded(int size) {
        return (size + SIDE - 1) / SIDE * SIDE;
    }

    /** Rounds {@code x} to {@code y}, an F16 value. */
    public static KernelCall roundToF16(Value x, Value y) {
        return Kernel.call(x.shape().elements(), TensorCores::toF16, x, y);
    }

    /** On PTX, TornadoVM 5.2 converts elements read from an array, but no computed ones. */
    public static void toF16(int begin, int count, FloatArray x, HalfFloatArray y) {
        for (@Parallel int n = 0; n < count; n++) y.set(begin + n, new HalfFloat(x.get(begin + n)));
    }

    /** The bits of elements {@code low} and {@code high}, packed as local memory holds them. */
    public static int pair(HalfFloatArray a, int low, int high) {
        return a.get(low).getHalfFloatValue() & 0xFFFF | (a.get(high).getHalfFloatValue() & 0xFFFF) << 16;
    }
}
