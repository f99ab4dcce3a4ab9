package dev.gyre.nn.check;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.Shape;
import dev.gyre.core.Target;
import dev.gyre.nn.attention.Attention;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Kernels of work groups, emulated without a device: against double precision. */
class WorkGroupsTest {
    private static final Target WORKGROUP = new Target(Target.KernelKind.WORKGROUP, false);

    /** The op table's, and attention of random shapes. */
    static Stream<OpCase> cases() {
        return Stream.concat(attention(8), table().filter(WorkGroupsTest::runs));
    }

    /** Without the largest attention, which random shapes stand for: it takes the emulator ten seconds. */
    static Stream<OpCase> table() {
        return OpCases.cases().filter(one -> !one.name().startsWith("attention [1, 600"));
    }

    /** A fourth of them causal. */
    static Stream<OpCase> attention(int count) {
        Random random = new Random(12);
        return IntStream.range(0, count).mapToObj(i -> {
            int batch = 1 + random.nextInt(2), heads = 1 + random.nextInt(3), depth = 1 + random.nextInt(170);
            boolean causal = i % 4 == 0;
            int queries = 1 + random.nextInt(140), keys = causal ? queries : 1 + random.nextInt(140);
            int[] s = {batch, queries, keys, heads, depth};
            return OpCase.of(
                    "attention " + IntStream.of(s).boxed().toList() + (causal ? " causal" : ""),
                    (x, at) -> Attention.of(x.get(0), x.get(1), x.get(2), heads, causal),
                    a -> ReferenceOps.attention(a.get(0), a.get(1), a.get(2), s, causal),
                    Shape.of(batch, queries, heads * depth),
                    Shape.of(batch, keys, heads * depth),
                    Shape.of(batch, keys, heads * depth));
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void agreesWithDoublePrecision(OpCase one) {
        assertTrue(runs(one), "no kernel of work groups");
        float[] y = VendorModel.run(one, one.makeInputs(), one.makeWeights(), WORKGROUP, WorkGroupEmulator::run);
        OpCasesTest.compare(one.name(), one.expected(one.makeInputs(), one.makeWeights()), y);
    }

    private static boolean runs(OpCase one) {
        return VendorModel.steps(one, WORKGROUP).stream().anyMatch(step -> step.group() > 0);
    }

    @Test
    void theTableHasEveryOpOfWorkGroups() {
        for (String op : new String[] {"linear", "conv2d", "attention", "group norm", "layer norm"})
            assertTrue(cases().anyMatch(one -> one.name().startsWith(op)), op);
    }
}
