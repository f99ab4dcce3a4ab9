package dev.gyre.nn.check;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.Executable;
import dev.gyre.core.Target;
import dev.gyre.core.Tensor;
import dev.gyre.core.jvm.JvmBackend;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every op of the table against double precision: its definition, and what a device runs, in plain Java. */
class OpCasesTest {
    static Stream<OpCase> cases() {
        return OpCases.cases();
    }

    /** The definition is plain Java whatever the processor has, so this runs once. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void definitionAgreesWithDoublePrecision(OpCase one) {
        List<Tensor> inputs = one.makeInputs();
        Map<String, Tensor> weights = one.makeWeights();
        compare(one + ", definition", one.expected(inputs, weights), run(JvmBackend.ofDefinitions(), one, inputs, weights));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void whatADeviceRunsAgreesAsPlainJava(OpCase one) {
        List<Tensor> inputs = one.makeInputs();
        Map<String, Tensor> weights = one.makeWeights();
        JvmBackend backend = JvmBackend.ofDevice(new Target(Target.KernelKind.SIMD, false), 2);
        compare(one + ", on a device", one.expected(inputs, weights), run(backend, one, inputs, weights));
    }

    static float[] run(JvmBackend backend, OpCase one, List<Tensor> inputs, Map<String, Tensor> weights) {
        try (backend) {
            try (Executable executable = backend.compile(one.graph(weights))) {
                Tensor[] given = inputs.toArray(Tensor[]::new);
                float[] first = executable.run(given).get(0).floats();
                assertArrayEquals(first, executable.run(given).get(0).floats(), 0f, "a second run differs: " + one);
                return first;
            } finally {
                assertEquals(0, backend.openExecutables());
            }
        }
    }

    /** Within a few roundings of a sum of the size that came out. */
    static void compare(String what, double[] expected, float[] actual) {
        assertEquals(expected.length, actual.length, what);
        double largest = 0, error = 0;
        for (double v : expected) largest = Math.max(largest, Math.abs(v));
        for (int i = 0; i < actual.length; i++) {
            assertTrue(Float.isFinite(actual[i]), what + " is not finite at " + i);
            error = Math.max(error, Math.abs(actual[i] - expected[i]));
        }
        assertTrue(
                error <= 2e-6 * Math.max(1, largest), what + ": error " + error + " where the largest is " + largest);
    }
}
