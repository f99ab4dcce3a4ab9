package dev.gyre.nn.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.DType;
import dev.gyre.core.Graph;
import dev.gyre.core.Op;
import dev.gyre.core.Target;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.nn.Weights;
import dev.gyre.nn.elementwise.Add;
import dev.gyre.nn.elementwise.Silu;
import dev.gyre.nn.linear.Linear;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Which additions devices fuse with the op before them. The op table tests their results. */
class FusedAddTest {
    @ParameterizedTest
    @EnumSource(Target.KernelKind.class)
    void sumsOfTheTableAreFused(Target.KernelKind kernels) {
        List<OpCase> cases = OpCases.cases()
                .filter(one -> one.name().contains("plus") && one.type() == DType.F32)
                .toList();
        assertEquals(12, cases.size());
        Stream<String> alone = cases.stream()
                .filter(one -> joined(one.graph(one.makeWeights()), kernels).isEmpty())
                .map(OpCase::name);
        // Definitions are not fused, and on CPUs a 5 × 5 convolution runs its definition.
        if (kernels == Target.KernelKind.REFERENCE) assertEquals(12, alone.count());
        else if (kernels == Target.KernelKind.SIMD)
            assertEquals(
                    2, alone.filter(name -> name.contains(" 3, 5, 1, 2, 2]")).count());
        else assertEquals(List.of(), alone.toList());
    }

    @ParameterizedTest
    @EnumSource(Target.KernelKind.class)
    void othersAreNotFused(Target.KernelKind kernels) {
        Graph graph = new Graph();
        Value x = graph.input("x", DType.F32, 3, 4);
        Weights at = Weights.of(graph, key -> Optional.of(Tensor.of(new float[16], 4, 4)));
        Add.of(Linear.withoutBias(x, 4, at), x, 0.5f);
        assertTrue(joined(graph, kernels).isEmpty(), "a factor");
        graph = new Graph();
        x = graph.input("x", DType.F32, 3, 4);
        Add.of(Silu.of(x), x);
        assertTrue(joined(graph, kernels).isEmpty(), "a sum of something else");
    }

    private static Optional<Op> joined(Graph graph, Target.KernelKind kernels) {
        List<Op> ops = graph.ops();
        assertEquals(2, ops.size());
        return ops.getLast().fused(ops.getFirst(), new Target(kernels, false));
    }
}
