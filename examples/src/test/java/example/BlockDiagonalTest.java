package example;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gyre.core.Backend;
import dev.gyre.core.DType;
import dev.gyre.core.Graph;
import dev.gyre.core.Op;
import dev.gyre.core.Profiler;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.nn.elementwise.Add;
import dev.gyre.nn.elementwise.AddPerChannel;
import dev.gyre.nn.elementwise.QuickGelu;
import dev.gyre.nn.elementwise.Silu;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** A user's own layer that takes the addend and the activation behind it into its kernel. */
class BlockDiagonalTest {
    private static final Tensor WEIGHT = Tensor.of(new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 2, 2, 2);
    private static final Tensor X = Tensor.of(new float[] {1, 0, 0, 1, 1, 1, 2, 2}, 2, 4);
    private static final float[] PRODUCT = {1, 3, 6, 8, 3, 7, 22, 30};

    @Test
    void jvm() {
        check(profiler -> new JvmBackend(JvmBackend.Options.DEFAULT.profiler(profiler)));
    }

    static void check(Function<Profiler, Backend> backend) {
        List<String> one = List.of("BlockDiagonal");
        run(backend, one, PRODUCT, (product, x) -> product);
        run(backend, one, new float[] {2, 3, 6, 9, 4, 8, 24, 32}, (product, x) -> Add.of(product, x));
        run(backend, one, new float[] {2, 3, 6, 9, 4, 8, 24, 32}, (product, x) -> Add.of(x, product));
        // One number for two neighbours, as a time step's shift of a channel.
        Tensor shift = Tensor.of(new float[] {10, 20, 30, 40}, 2, 2);
        run(
                backend,
                one,
                new float[] {11, 13, 26, 28, 33, 37, 62, 70},
                (product, x) -> AddPerChannel.of(
                        product.reshape(2, 2, 1, 2), product.graph().constant("shift", shift)));
        float[] activated = silu(2, 3, 6, 9, 4, 8, 24, 32);
        run(backend, one, silu(PRODUCT), (product, x) -> Silu.of(product));
        run(backend, one, activated, (product, x) -> Silu.of(Add.of(product, x)));
        // What the layer does not accept stays an op of its own: a factor, a second addend, one behind the activation,
        // another activation.
        run(
                backend,
                List.of("BlockDiagonal", "Add"),
                new float[] {1.5f, 3, 6, 8.5f, 3.5f, 7.5f, 23, 31},
                (product, x) -> Add.of(product, x, 0.5f));
        run(
                backend,
                List.of("BlockDiagonal", "Add"),
                new float[] {3, 3, 6, 10, 5, 9, 26, 34},
                (product, x) -> Add.of(Add.of(product, x), x));
        float[] shifted = activated.clone(), residual = X.floats();
        for (int i = 0; i < shifted.length; i++) shifted[i] += residual[i];
        run(backend, List.of("BlockDiagonal", "Add"), shifted, (product, x) -> Add.of(Silu.of(Add.of(product, x)), x));
        run(
                backend,
                List.of("BlockDiagonal", "QuickGelu"),
                sigmoidTimes(1.702f, PRODUCT),
                (product, x) -> QuickGelu.of(product));
    }

    private static float[] silu(float... v) {
        return sigmoidTimes(1, v);
    }

    /** v · sigmoid(slope · v). */
    private static float[] sigmoidTimes(float slope, float... v) {
        float[] y = new float[v.length];
        for (int i = 0; i < v.length; i++) y[i] = (float) (v[i] / (1 + Math.exp(-slope * v[i])));
        return y;
    }

    @FunctionalInterface
    private interface Behind {
        Value of(Value product, Value x);
    }

    private static void run(Function<Profiler, Backend> backend, List<String> ops, float[] expected, Behind behind) {
        Graph graph = new Graph();
        Value x = graph.input("x", DType.F32, 2, 4);
        graph.output(behind.of(BlockDiagonal.of(x, graph.constant("weight", WEIGHT)), x));
        List<String> ran = new ArrayList<>();
        try (var on = backend.apply(
                        (Op op, long start, long nanos) -> ran.add(op.getClass().getSimpleName()));
                var executable = on.compile(graph)) {
            assertArrayEquals(expected, executable.run(X).get(0).floats(), 1e-5f);
        }
        assertEquals(ops, ran);
    }
}
