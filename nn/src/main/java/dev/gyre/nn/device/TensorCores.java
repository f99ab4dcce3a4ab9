package dev.gyre.nn.device;

import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Value;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;

/**
 * What matrix products on tensor cores share. A group of 4 warps makes a block of 64 × 64, a warp 32 × 32 of it, from bands of both
 * sides, rounded to 16 bits, that the group brings to local memory 16 steps of the sum at a time. Two numbers lie in an int there: the
 * left side's as 64 rows of 16, the right side's as 8 tiles, each of 16 rows of 8.
 *
 * <p>A warp's instructions are for all of its threads, so none stands in a branch: what a block has too much is a row or column that
 * is there, computed once more and left behind by the last step. The sum has no such thing, so its length has to be a multiple of 16.
 */
public final class TensorCores {
    /** Rows and columns of a block. */
    public static final int SIDE = 64;

    /** Threads that make one: 4 warps. */
    public static final int THREADS = 128;

    /** What a sum's length is a multiple of. */
    public static final int DEPTH = 16;

    private TensorCores() {}

    /** {@code size} made a multiple of a block's side. */
    public static int padded(int size) {
        return (size + SIDE - 1) / SIDE * SIDE;
    }

    /** Rounds {@code x} to {@code y}, which is F16. */
    public static KernelCall roundToF16(Value x, Value y) {
        return Kernel.call(x.shape().elements(), TensorCores::toF16, x, y);
    }

    /** On PTX, TornadoVM 5.2 converts what was read from an array and nothing that was computed. */
    public static void toF16(int begin, int count, FloatArray x, HalfFloatArray y) {
        for (@Parallel int n = 0; n < count; n++) y.set(begin + n, new HalfFloat(x.get(begin + n)));
    }

    /** The bits of elements {@code low} and {@code high}, as they lie side by side in local memory. */
    public static int pair(HalfFloatArray a, int low, int high) {
        return a.get(low).getHalfFloatValue() & 0xFFFF | (a.get(high).getHalfFloatValue() & 0xFFFF) << 16;
    }
}
