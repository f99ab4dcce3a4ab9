package dev.gyre.nn.check;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.Executable;
import dev.gyre.core.Target;
import dev.gyre.core.Tensor;
import dev.gyre.core.jvm.JvmBackend;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every op of the table against double precision: its definition and its faster implementation, on one thread and on several. */
class OpCasesTest {
    private static final List<OpCase> CASES = OpCases.cases().toList();

    /** What a case should give. Every test below asks, and the plain loops in double precision are slow. */
    private static final Map<OpCase, double[]> EXPECTED = new IdentityHashMap<>();

    static List<OpCase> cases() {
        return CASES;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void definitionAgreesWithDoublePrecision(OpCase one) {
        agrees(one, "definition", JvmBackend.ofDefinitions());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    @Tag("processor")
    void fasterWayAgreesWithDoublePrecision(OpCase one) {
        float[] single = agrees(one, "faster way", new JvmBackend(1));
        assertArrayEquals(
                single, run(new JvmBackend(3), one, one.makeInputs(), one.makeWeights()), 0f, "threads change " + one);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void whatADeviceRunsAgreesAsPlainJava(OpCase one) {
        agrees(one, "on a device", JvmBackend.ofDevice(new Target(Target.KernelKind.SIMD, false), 2));
    }

    private static float[] agrees(OpCase one, String what, JvmBackend backend) {
        List<Tensor> inputs = one.makeInputs();
        Map<String, Tensor> weights = one.makeWeights();
        float[] actual = run(backend, one, inputs, weights);
        compare(one + ", " + what, EXPECTED.computeIfAbsent(one, c -> c.expected(inputs, weights)), actual);
        return actual;
    }

    private static float[] run(JvmBackend backend, OpCase opCase, List<Tensor> inputs, Map<String, Tensor> weights) {
        try (backend) {
            try (Executable executable = backend.compile(opCase.graph(weights))) {
                Tensor[] given = inputs.toArray(Tensor[]::new);
                float[] first = executable.run(given).get(0).floats();
                assertArrayEquals(first, executable.run(given).get(0).floats(), 0f, "a second run differs: " + opCase);
                return first;
            } finally {
                assertEquals(0, backend.openExecutables());
            }
        }
    }

    /** The difference is within a few roundings of a sum of the result's magnitude. */
    static void compare(String what, double[] expected, float[] actual) {
        compare(what, expected, actual, 2e-6);
    }

    /** @param allowed error, relative to the largest element or to 1 */
    static void compare(String what, double[] expected, float[] actual, double allowed) {
        assertEquals(expected.length, actual.length, what);
        double largest = 0, error = 0;
        for (double v : expected) largest = Math.max(largest, Math.abs(v));
        for (int i = 0; i < actual.length; i++) {
            assertTrue(Float.isFinite(actual[i]), what + " is not finite at " + i);
            error = Math.max(error, Math.abs(actual[i] - expected[i]));
        }
        assertTrue(
                error <= allowed * Math.max(1, largest),
                what + ": error " + error + " where the largest is " + largest);
    }
}
