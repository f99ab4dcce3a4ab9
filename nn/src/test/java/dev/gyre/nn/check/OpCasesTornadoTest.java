package dev.gyre.nn.check;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gyre.core.Executable;
import dev.gyre.core.Target;
import dev.gyre.core.Tensor;
import dev.gyre.core.tornado.TornadoBackend;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every op of the table on a device, with every kind of kernels, against double precision. */
class OpCasesTornadoTest {
    /** The kinds that every device supports. */
    private static final Set<Target.KernelKind> KINDS =
            EnumSet.range(Target.KernelKind.REFERENCE, Target.KernelKind.WORKGROUP);

    private static final Map<Target.KernelKind, TornadoBackend> BACKENDS = new EnumMap<>(Target.KernelKind.class);

    @BeforeAll
    static void open() {
        assumeTrue(TornadoBackend.isAvailable(), "TornadoVM is not on this JVM: kernels are not tried on a device");
        for (Target.KernelKind kernels : KINDS)
            BACKENDS.put(
                    kernels, new TornadoBackend(TornadoBackend.Options.DEFAULT.target(new Target(kernels, false))));
    }

    @AfterAll
    static void close() {
        for (TornadoBackend backend : BACKENDS.values()) {
            assertEquals(0, backend.openExecutables());
            backend.close();
            assertEquals(0, backend.deviceBytes());
        }
    }

    static Stream<Arguments> cases() {
        return OpCases.cases().flatMap(one -> KINDS.stream().map(kernels -> Arguments.of(one, kernels)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("cases")
    void agreesWithDoublePrecision(OpCase one, Target.KernelKind kernels) {
        List<Tensor> inputs = one.makeInputs();
        Map<String, Tensor> weights = one.makeWeights();
        try (Executable executable = BACKENDS.get(kernels).compile(one.graph(weights))) {
            Tensor[] given = inputs.toArray(Tensor[]::new);
            float[] first = executable.run(given).get(0).floats();
            OpCasesTest.compare(one + ", " + kernels, one.expected(inputs, weights), first);
            assertArrayEquals(first, executable.run(given).get(0).floats(), 0f, "a second run differs: " + one);
        }
    }
}
