package dev.gyre.core.plan;

import dev.gyre.core.Tensor;
import java.lang.foreign.MemorySegment;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Copies weights into the arrays that kernels receive: F16 and BF16 are widened to floats. */
public final class KernelArrays {
    private static final int PIECE = 1 << 16;

    private KernelArrays() {}

    /** @param array a {@code FloatArray}, or an {@code IntArray} for an I32 tensor, of as many elements */
    public static void fill(Tensor tensor, Object array) {
        if (array instanceof IntArray ints) {
            ints.getSegment().copyFrom(tensor.data());
            return;
        }
        MemorySegment to = ((FloatArray) array).getSegment();
        float[] piece = new float[Math.min(PIECE, tensor.shape().elements())];
        short[] scratch = new short[4096];
        for (int from = 0; from < tensor.shape().elements(); from += piece.length) {
            int n = Math.min(piece.length, tensor.shape().elements() - from);
            tensor.read(from, piece, 0, n, scratch);
            MemorySegment.copy(piece, 0, to, Tensor.FLOAT, from * 4L, n);
        }
    }
}
