package dev.gyre.nn.check;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.gyre.core.Tensor;
import dev.gyre.core.jvm.JvmBackend;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The CPU's faster way of every op of the table against double precision, on one thread and on several. The build runs this class again with
 * features of the processor switched off, since these kernels alone depend on them.
 */
class FasterWaysTest {
    static Stream<OpCase> cases() {
        return OpCases.cases();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void fasterWayAgreesWithDoublePrecision(OpCase one) {
        List<Tensor> inputs = one.makeInputs();
        Map<String, Tensor> weights = one.makeWeights();
        float[] single = OpCasesTest.run(new JvmBackend(1), one, inputs, weights);
        OpCasesTest.compare(one + ", faster way", one.expected(inputs, weights), single);
        assertArrayEquals(single, OpCasesTest.run(new JvmBackend(3), one, inputs, weights), 0f, "threads change " + one);
    }
}
