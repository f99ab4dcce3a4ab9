package dev.gyre.nn.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gyre.core.Backend;
import dev.gyre.core.DType;
import dev.gyre.core.Executable;
import dev.gyre.core.Graph;
import dev.gyre.core.Observer;
import dev.gyre.core.Op;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.nn.Weights;
import dev.gyre.nn.elementwise.Add;
import dev.gyre.nn.elementwise.Silu;
import dev.gyre.nn.norm.GroupNorm;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AttentionMapTest {
    static final int BATCH = 2, QUERIES = 9, KEYS = 9, HEADS = 3, DEPTH = 5, WIDTH = HEADS * DEPTH;

    /** Keeps the map of every attention that runs. */
    private static Observer maps(List<Tensor> maps) {
        return new Observer() {
            @Override
            public boolean wants(Op op) {
                return op instanceof Attention;
            }

            @Override
            public void made(Op op, Function<Value, Tensor> values) {
                maps.add(AttentionMap.of((Attention) op, values));
            }
        };
    }

    /** The map times v is the attention's output. */
    static void check(Backend backend, boolean causal) {
        Graph graph = new Graph();
        Value q = graph.input("q", DType.F32, BATCH, QUERIES, WIDTH);
        Value k = graph.input("k", DType.F32, BATCH, KEYS, WIDTH);
        Value v = graph.input("v", DType.F32, BATCH, KEYS, WIDTH);
        // Between other ops, so that none of its values is an input or an output of the graph.
        graph.output(Silu.of(Attention.of(Add.of(q, q), k, Add.of(v, v), HEADS, causal)));
        Random random = new Random(3);
        Tensor[] inputs = new Tensor[3];
        for (int i = 0; i < 3; i++) {
            float[] numbers = new float[BATCH * KEYS * WIDTH];
            for (int j = 0; j < numbers.length; j++) numbers[j] = (float) random.nextGaussian();
            inputs[i] = Tensor.of(numbers, BATCH, KEYS, WIDTH);
        }
        List<Tensor> maps = new ArrayList<>();
        float[] plain, watched;
        try (Executable executable = backend.compile(graph)) {
            plain = executable.run(inputs).getFirst().floats();
        }
        try (Executable executable = backend.compile(graph, maps(maps))) {
            List<Tensor> outputs = executable.run(inputs);
            assertEquals(1, outputs.size());
            watched = outputs.getFirst().floats();
        }
        assertArrayEquals(plain, watched, 1e-6f);
        assertEquals(1, maps.size());
        assertEquals(
                List.of(BATCH, HEADS, QUERIES, KEYS), maps.getFirst().shape().dims());
        float[] map = maps.getFirst().floats(), values = inputs[2].floats();
        float[] expected = new float[plain.length];
        for (int b = 0; b < BATCH; b++)
            for (int h = 0; h < HEADS; h++)
                for (int i = 0; i < QUERIES; i++) {
                    double all = 0;
                    for (int j = 0; j < KEYS; j++) all += map[((b * HEADS + h) * QUERIES + i) * KEYS + j];
                    assertEquals(1, all, 1e-5);
                    for (int c = 0; c < DEPTH; c++) {
                        double sum = 0;
                        for (int j = 0; j < KEYS; j++)
                            sum += map[((b * HEADS + h) * QUERIES + i) * KEYS + j]
                                    * 2.0
                                    * values[(b * KEYS + j) * WIDTH + h * DEPTH + c];
                        expected[(b * QUERIES + i) * WIDTH + h * DEPTH + c] = (float) (sum / (1 + Math.exp(-sum)));
                    }
                }
        assertArrayEquals(expected, plain, 1e-4f);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theMapTimesTheValuesIsTheAttention(boolean causal) {
        try (JvmBackend backend = new JvmBackend(2)) {
            check(backend, causal);
        }
    }

    /** A norm and the SiLU after it are fused, unless the value between them is observed. */
    @Test
    void observedOpsAreNotFused() {
        Graph graph = new Graph();
        Value x = graph.input("x", DType.F32, 1, 4, 5, 5);
        Tensor ones = Tensor.of(new float[] {1, 1, 1, 1}, 4);
        Weights at = Weights.of(graph, key -> Optional.of(ones));
        graph.output(Silu.of(GroupNorm.of(x, 2, 1e-5f, at.at("norm"))));
        List<String> ran = new ArrayList<>();
        JvmBackend.Options options = JvmBackend.Options.DEFAULT.profiler(
                (op, start, nanos) -> ran.add(op.getClass().getSimpleName()));
        float[] numbers = new float[100];
        for (int i = 0; i < 100; i++) numbers[i] = i % 7 - 2;
        Tensor input = Tensor.of(numbers, 1, 4, 5, 5);
        List<float[]> seen = new ArrayList<>();
        try (JvmBackend backend = new JvmBackend(options);
                Executable plain = backend.compile(graph);
                Executable watched =
                        backend.compile(graph, Observer.of("norm", (name, tensor) -> seen.add(tensor.floats())))) {
            float[] fused = plain.run(input).getFirst().floats();
            assertEquals(List.of("GroupNorm"), ran);
            ran.clear();
            float[] separate = watched.run(input).getFirst().floats();
            assertEquals(List.of("GroupNorm", "Silu"), ran);
            assertArrayEquals(fused, separate, 1e-5f);
            for (int i = 0; i < 100; i++)
                assertEquals(separate[i], seen.getFirst()[i] / (1 + Math.exp(-seen.getFirst()[i])), 1e-5);
        }
    }
}
