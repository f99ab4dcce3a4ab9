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
 * A linear layer by cuBLAS, whose matrices are column-major: it sees y as [out, rows], which is W · xᵀ, and W [out, in]
 * as its transpose.
 */
final class LinearCublas {
    private static final VendorCall SGEMM = new VendorCall("nvidia/cublas", "cublasSgemm", 11);
    private static final int PLAIN = 0, TRANSPOSED = 1; // CUBLAS_OP_N, CUBLAS_OP_T

    private LinearCublas() {}

    static List<KernelCall> calls(Linear op, Epilogue epilogue) {
        int rows = op.y().dim(0), in = op.x().dim(1), out = op.y().dim(1);
        List<KernelCall> calls = new ArrayList<>();
        float beta = op.bias().isPresent() || epilogue.each() > 0 ? 1f : 0f; // the factor of y's previous content
        if (beta > 0)
            calls.add(Kernel.call(
                    rows * out,
                    LinearCublas::linearInitialize,
                    out,
                    op.bias().isPresent() ? 1 : 0,
                    epilogue.each(),
                    op.bias().orElse(op.x()), // not read where there is none
                    epilogue.value(),
                    op.y()));
        calls.add(KernelCall.vendor(
                SGEMM, TRANSPOSED, PLAIN, out, rows, in, 1f, op.weight(), in, op.x(), in, beta, op.y(), out));
        return calls;
    }

    /** Sets every row of y [rows, out] to b, or 0 where {@code biased} is 0, plus the epilogue's addend. */
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
