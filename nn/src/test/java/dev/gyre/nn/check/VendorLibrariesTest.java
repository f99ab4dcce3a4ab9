package dev.gyre.nn.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.KernelCall;
import dev.gyre.core.Target;
import dev.gyre.core.Tensor;
import dev.gyre.core.VendorCall;
import dev.gyre.nn.device.WorkGroups;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Calls of cuBLAS and cuDNN without a device: their arguments, by models of the libraries' documentation. */
class VendorLibrariesTest {
    private static final Target LIBRARIES = new Target(Target.KernelKind.VENDOR, false);

    static Stream<OpCase> cases() {
        return OpCases.cases().filter(one -> VendorModel.steps(one, LIBRARIES).stream()
                .anyMatch(step -> step.kernel() instanceof VendorCall));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void agreesWithDoublePrecision(OpCase one) {
        List<Tensor> inputs = one.makeInputs();
        Map<String, Tensor> weights = one.makeWeights();
        float[] y = VendorModel.run(one, inputs, weights, LIBRARIES, VendorLibrariesTest::call);
        OpCasesTest.compare(one.name(), one.expected(inputs, weights), y);
    }

    @Test
    void linearLayersAndMostConvolutionsUseLibraries() {
        List<String> names = cases().map(OpCase::name).toList();
        assertEquals(
                OpCases.cases().filter(one -> one.name().startsWith("linear")).count(),
                names.stream().filter(name -> name.startsWith("linear")).count());
        assertTrue(names.contains("conv2d [3, 33, 17, 23, 10, 3, 1, 1, 1]"), names.toString());
        assertTrue(names.contains("conv2d [2, 5, 9, 6, 7, 3, 2, 1, 1]"), names.toString());
        // Padding below and to the right only; cuDNN pads all sides alike.
        OpCase uneven = OpCases.cases()
                .filter(one -> one.name().equals("conv2d [1, 4, 8, 8, 9, 3, 2, 0, 1]"))
                .findFirst()
                .orElseThrow();
        assertEquals(
                WorkGroups.THREADS,
                VendorModel.steps(uneven, LIBRARIES).getFirst().group());
    }

    private static void call(KernelCall step, Object[] a) {
        VendorCall call = (VendorCall) step.kernel();
        switch (call.library() + " " + call.function()) {
            case "nvidia/cublas cublasSgemm" -> {
                assertEquals(11, call.result());
                sgemm(
                        (int) a[0],
                        (int) a[1],
                        (int) a[2],
                        (int) a[3],
                        (int) a[4],
                        (float) a[5],
                        (FloatArray) a[6],
                        (int) a[7],
                        (FloatArray) a[8],
                        (int) a[9],
                        (float) a[10],
                        (FloatArray) a[11],
                        (int) a[12]);
            }
            case "nvidia/cudnn cudnnConv2d" -> {
                assertEquals(2, call.result());
                conv2d(
                        (FloatArray) a[0],
                        (FloatArray) a[1],
                        (FloatArray) a[2],
                        (int) a[3],
                        (int) a[4],
                        (int) a[5],
                        (int) a[6],
                        (int) a[7],
                        (int) a[8],
                        (int) a[9],
                        (int) a[10],
                        (int) a[11]);
            }
            default -> throw new IllegalStateException("no model of " + call);
        }
    }

    /** C [m, n] = alpha · op(A) [m, k] · op(B) [k, n] + beta · C, all column-major; op is 0 for none, 1 for transposed. */
    private static void sgemm(
            int transa,
            int transb,
            int m,
            int n,
            int k,
            float alpha,
            FloatArray a,
            int lda,
            FloatArray b,
            int ldb,
            float beta,
            FloatArray c,
            int ldc) {
        assertTrue(lda >= Math.max(1, transa == 0 ? m : k), "lda " + lda);
        assertTrue(ldb >= Math.max(1, transb == 0 ? k : n), "ldb " + ldb);
        assertTrue(ldc >= Math.max(1, m), "ldc " + ldc);
        for (int i = 0; i < m; i++)
            for (int j = 0; j < n; j++) {
                double sum = 0;
                for (int l = 0; l < k; l++)
                    sum += (double) a.get(transa == 0 ? l * lda + i : i * lda + l)
                            * b.get(transb == 0 ? j * ldb + l : l * ldb + j);
                int at = j * ldc + i;
                c.set(at, (float)
                        (alpha * sum + (beta == 0 ? 0 : (double) beta * c.get(at)))); // not read where it is 0
            }
    }

    /** Cross-correlation of x [n, c, h, w] with f [k, c, r, s], {@code pad} zeros on all sides. */
    private static void conv2d(
            FloatArray x,
            FloatArray f,
            FloatArray y,
            int n,
            int c,
            int h,
            int w,
            int k,
            int r,
            int s,
            int pad,
            int stride) {
        int rows = (h + 2 * pad - r) / stride + 1, columns = (w + 2 * pad - s) / stride + 1;
        for (int i = 0; i < n * k * rows * columns; i++) {
            int column = i % columns, row = i / columns % rows, o = i / (columns * rows) % k;
            int image = i / (columns * rows * k);
            double sum = 0;
            for (int j = 0; j < c * r * s; j++) {
                int u = row * stride + j / s % r - pad, v = column * stride + j % s - pad;
                if (u >= 0 && u < h && v >= 0 && v < w)
                    sum += (double) x.get(((image * c + j / (r * s)) * h + u) * w + v) * f.get(o * c * r * s + j);
            }
            y.set(i, (float) sum);
        }
    }
}
