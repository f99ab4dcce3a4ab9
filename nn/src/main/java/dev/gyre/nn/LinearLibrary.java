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

    static List<Step> steps(Linear op) {
        int rows = op.y().dim(0), in = op.x().dim(1), out = op.y().dim(1);
        List<Step> steps = new ArrayList<>();
        op.bias().ifPresent(b -> steps.add(Step.of(rows * out, LinearLibrary::linearBias, out, b, op.y())));
        float added = op.bias().isPresent() ? 1f : 0f; // how much of what y was before
        steps.add(Step.library(
                SGEMM, TRANSPOSED, PLAIN, out, rows, in, 1f, op.weight(), in, op.x(), in, added, op.y(), out));
        return steps;
    }

    /** Every row of y [rows, out] is b. */
    public static void linearBias(int begin, int count, int out, FloatArray b, FloatArray y) {
        for (@Parallel int n = 0; n < count; n++) y.set(begin + n, b.get((begin + n) % out));
    }
}
