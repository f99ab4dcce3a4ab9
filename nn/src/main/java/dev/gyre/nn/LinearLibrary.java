package dev.gyre.nn;

import dev.gyre.core.LibraryCall;
import dev.gyre.core.Step;
import java.util.ArrayList;
import java.util.List;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * A linear layer by cuBLAS, which has matrices by columns: it sees y as [out, rows], which is W · xᵀ, and W [out, in] as the transposed
 * of what lies there.
 */
final class LinearLibrary {
    private static final LibraryCall SGEMM = new LibraryCall("nvidia/cublas", "cublasSgemm", 11);
    private static final int PLAIN = 0, TRANSPOSED = 1; // CUBLAS_OP_N, CUBLAS_OP_T

    private LinearLibrary() {}

    static List<Step> steps(Linear op, Addend addend) {
        int rows = op.y().dim(0), in = op.x().dim(1), out = op.y().dim(1);
        List<Step> steps = new ArrayList<>();
        float before = op.bias().isPresent() || addend.each() > 0 ? 1f : 0f; // how much of what y was before is added
        if (before > 0)
            steps.add(Step.of(
                    rows * out,
                    LinearLibrary::linearBefore,
                    out,
                    op.bias().isPresent() ? 1 : 0,
                    addend.each(),
                    op.bias().orElse(op.x()), // not read where there is none
                    addend.value(),
                    op.y()));
        steps.add(Step.library(
                SGEMM, TRANSPOSED, PLAIN, out, rows, in, 1f, op.weight(), in, op.x(), in, before, op.y(), out));
        return steps;
    }

    /** Every row of y [rows, out] is b, or 0 where {@code biased} is 0, and what is added. */
    public static void linearBefore(
            int begin, int count, int out, int biased, int each, FloatArray b, FloatArray a, FloatArray y) {
        for (@Parallel int n = 0; n < count; n++) {
            int i = begin + n;
            float v = 0f;
            if (biased == 1) v = b.get(i % out);
            y.set(i, Addend.plus(v, i, each, a));
        }
    }
}
