package dev.gyre.nn.check;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gyre.core.Executable;
import dev.gyre.core.Precision;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.nn.attention.Attention;
import dev.gyre.nn.conv.Conv2d;
import dev.gyre.nn.linear.Linear;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every op in bf16 against double precision, on numbers that bf16 holds: then products are exact and only their sums round. */
@Tag("processor")
class Bf16Test {
    @BeforeAll
    static void requireBf16() {
        assumeTrue(
                Precision.BF16.refusal().isEmpty(),
                "not run: " + Precision.BF16.refusal().orElse(""));
    }

    static Stream<OpCase> cases() {
        return OpCases.cases();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void theTableAgreesWithDoublePrecision(OpCase opCase) {
        check(opCase);
    }

    @Test
    void oneHundredRandomShapes() {
        random(new Random(12), 100);
    }

    @Test
    @Tag("long")
    void tenThousandRandomShapes() {
        random(new Random(13), 10_000);
    }

    private static void random(Random random, int count) {
        for (int i = 0; i < count; i++) check(random(random));
    }

    private static OpCase random(Random r) {
        switch (r.nextInt(3)) {
            case 0 -> {
                int rows = 1 + r.nextInt(60),
                        in = 1 + r.nextInt(r.nextInt(20) == 0 ? 3000 : 200),
                        out = 1 + r.nextInt(100);
                return OpCase.of(
                                "linear " + rows + " " + in + " " + out,
                                (x, at) -> Linear.of(x.get(0), out, at),
                                a -> ReferenceOps.linear(a.get(0), a.get(1), a.get(2), rows, in, out),
                                Shape.of(rows, in))
                        .weight("weight", out, in)
                        .weight("bias", out);
            }
            case 1 -> {
                int kernel = 1 + r.nextInt(4),
                        stride = 1 + r.nextInt(3),
                        before = r.nextInt(kernel),
                        after = r.nextInt(kernel);
                int in = 1 + r.nextInt(r.nextInt(10) == 0 ? 300 : 20),
                        out = 1 + r.nextInt(40),
                        batch = 1 + r.nextInt(2);
                int height = kernel + r.nextInt(12), width = kernel + r.nextInt(20);
                int[] s = {batch, in, height, width, out, kernel, stride, before, after};
                return OpCase.of(
                                "conv " + java.util.Arrays.toString(s),
                                (x, at) -> Conv2d.of(x.get(0), out, kernel, stride, before, after, at),
                                a -> ReferenceOps.conv2d(a.get(0), a.get(1), a.get(2), s),
                                Shape.of(batch, in, height, width))
                        .weight("weight", out, in, kernel, kernel)
                        .weight("bias", out);
            }
            default -> {
                int batch = 1 + r.nextInt(2),
                        queries = 1 + r.nextInt(100),
                        keys = 1 + r.nextInt(r.nextInt(5) == 0 ? 500 : 90);
                int heads = 1 + r.nextInt(3), depth = 1 + r.nextInt(70);
                boolean causal = r.nextInt(4) == 0;
                int[] s = {batch, queries, keys, heads, depth};
                return OpCase.of(
                        "attention " + java.util.Arrays.toString(s) + causal,
                        (x, at) -> Attention.of(x.get(0), x.get(1), x.get(2), heads, causal),
                        a -> ReferenceOps.attention(a.get(0), a.get(1), a.get(2), s, causal),
                        Shape.of(batch, queries, heads * depth),
                        Shape.of(batch, keys, heads * depth),
                        Shape.of(batch, keys, heads * depth));
            }
        }
    }

    private static void check(OpCase opCase) {
        List<Tensor> inputs = new ArrayList<>();
        for (Tensor input : opCase.makeInputs()) inputs.add(rounded(input));
        Map<String, Tensor> weights = new LinkedHashMap<>();
        opCase.makeWeights().forEach((key, tensor) -> weights.put(key, rounded(tensor)));
        double[] expected = opCase.expected(inputs, weights);
        JvmBackend.Options options = JvmBackend.Options.DEFAULT.precision(Precision.BF16);
        float[] single = run(options.threads(1), opCase, inputs, weights);
        compare(opCase, expected, single);
        assertArrayEquals(single, run(options.threads(3), opCase, inputs, weights), 0f, "threads change " + opCase);
        assertArrayEquals(
                single,
                run(options.threads(2).lowMemory(true), opCase, inputs, weights),
                0f,
                "low memory changes " + opCase);
    }

    private static float[] run(
            JvmBackend.Options options, OpCase opCase, List<Tensor> inputs, Map<String, Tensor> weights) {
        try (JvmBackend backend = new JvmBackend(options);
                Executable executable = backend.compile(opCase.graph(weights))) {
            return executable.run(inputs.toArray(Tensor[]::new)).get(0).floats();
        }
    }

    /** Attention also rounds its scaled queries and its exponentials to bf16, each with a relative error of up to 1/256. */
    private static void compare(OpCase opCase, double[] expected, float[] actual) {
        assertEquals(expected.length, actual.length, opCase.name());
        double largest = 0, error = 0;
        for (double v : expected) largest = Math.max(largest, Math.abs(v));
        for (int i = 0; i < actual.length; i++) {
            assertTrue(Float.isFinite(actual[i]), opCase + " is not finite at " + i);
            error = Math.max(error, Math.abs(actual[i] - expected[i]));
        }
        double allowed = (opCase.name().contains("attention") ? 2e-2 : 4e-6) * Math.max(1, largest);
        assertTrue(error <= allowed, opCase + ": error " + error + " where the largest is " + largest);
    }

    private static Tensor rounded(Tensor tensor) {
        if (tensor.dtype() == dev.gyre.core.DType.I32) return tensor;
        float[] values = tensor.floats();
        for (int i = 0; i < values.length; i++) values[i] = bf16(values[i]);
        return Tensor.of(
                values,
                tensor.shape().dims().stream().mapToInt(Integer::intValue).toArray());
    }

    /** Rounded to nearest even, as the processor rounds. */
    static float bf16(float v) {
        int bits = Float.floatToRawIntBits(v);
        return Float.intBitsToFloat(bits + 0x7FFF + (bits >>> 16 & 1) & 0xFFFF0000);
    }
}
