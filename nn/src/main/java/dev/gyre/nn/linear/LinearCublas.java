package dev.gyre.nn.linear;

import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.VendorCall;
import dev.gyre.nn.Epilogue;
import java.util.ArrayList;
import java.util.List;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * A linear layer by cuBLAS, which has matrices by columns: it sees y as [out, rows], which is W · xᵀ, and W [out, in] as the transposed
 * of what lies there.
 */
final class LinearCublas {
    private static final VendorCall SGEMM = new VendorCall("nvidia/cublas", "cublasSgemm", 11);
    private static final int PLAIN = 0, TRANSPOSED = 1; // CUBLAS_OP_N, CUBLAS_OP_T

    private LinearCublas() {}

    static List<KernelCall> calls(Linear op, Epilogue addend) {
        int rows = op.y().dim(0), in = op.x().dim(1), out = op.y().dim(1);
        List<KernelCall> steps = new ArrayList<>();
        float before = op.bias().isPresent() || addend.each() > 0 ? 1f : 0f; // how much of what y was before is added
        if (before > 0)
            steps.add(Kernel.call(
                    rows * out,
                    LinearCublas::linearInitialize,
                    out,
                    op.bias().isPresent() ? 1 : 0,
                    addend.each(),
                    op.bias().orElse(op.x()), // not read where there is none
                    addend.value(),
                    op.y()));
        steps.add(KernelCall.vendor(
                SGEMM, TRANSPOSED, PLAIN, out, rows, in, 1f, op.weight(), in, op.x(), in, before, op.y(), out));
        return steps;
    }

    /** Every row of y [rows, out] is b, or 0 where {@code biased} is 0, and what is added. */
    public static void linearInitialize(
            int begin, int count, int out, int biased, int each, FloatArray b, FloatArray a, FloatArray y) {
        for (@Parallel int n = 0; n < count; n++) {
            int i = begin + n;
            float v = 0f;
            if (biased == 1) v = b.get(i % out);
            y.set(i, Epilogue.apply(v, i, each, a));
        }
    }
}
