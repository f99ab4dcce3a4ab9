package dev.gyre.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.gyre.core.Backend;
import dev.gyre.core.DType;
import dev.gyre.core.Graph;
import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.core.jvm.JvmBackend;
import java.util.List;
import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** The custom layer of the README. */
class LeakyReluTest {
    /** y = max(x, slope · x). */
    public record LeakyRelu(Value x, float slope, Value y) implements Op {
        public static Value of(Value x, float slope) {
            return x.graph().add(new LeakyRelu(x, slope, x.like(x.shape().elements())));
        }

        @Override
        public List<Value> inputs() {
            return List.of(x);
        }

        @Override
        public Value output() {
            return y;
        }

        @Override
        public List<KernelCall> loops() {
            return List.of(Kernel.call(y.shape().elements(), LeakyRelu::leakyRelu, slope, x, y));
        }

        public static void leakyRelu(int begin, int count, float slope, FloatArray x, FloatArray y) {
            for (@Parallel int k = 0; k < count; k++) {
                float v = x.get(begin + k);
                y.set(begin + k, TornadoMath.max(v, slope * v));
            }
        }
    }

    @Test
    void runs() {
        check(new JvmBackend());
    }

    static void check(Backend backend) {
        Graph graph = new Graph();
        graph.output(LeakyRelu.of(graph.input("x", DType.F32, 3), 0.1f));
        try (backend;
                var executable = backend.compile(graph)) {
            float[] y =
                    executable.run(Tensor.of(new float[] {-1, 0, 2}, 3)).get(0).floats();
            assertArrayEquals(new float[] {-0.1f, 0, 2}, y);
        }
    }
}
