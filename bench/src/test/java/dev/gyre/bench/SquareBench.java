package dev.gyre.bench;

import dev.gyre.core.DType;
import dev.gyre.core.Graph;
import dev.gyre.core.JvmKernel;
import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Value;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** A bench such as a user would write, with an op of its own. */
public class SquareBench implements OpBench {
    @Override
    public Value build(Graph graph, int size) {
        return Square.of(graph.input("x", DType.F32, size), 0);
    }

    @Override
    public List<Integer> sizes() {
        return List.of(100, 5000);
    }

    /** Its op's faster way gives something else. */
    public static final class Wrong extends SquareBench {
        @Override
        public Value build(Graph graph, int size) {
            return Square.of(graph.input("x", DType.F32, size), 1);
        }
    }

    /** y = x². */
    record Square(Value x, float error, Value y) implements Op {
        static Value of(Value x, float error) {
            return x.graph().add(new Square(x, error, x.like(x.shape().elements())));
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
        public long flops() {
            return y.shape().elements();
        }

        @Override
        public List<KernelCall> loops() {
            return List.of(Kernel.call(y.shape().elements(), Square::square, x, y));
        }

        public static void square(int begin, int count, FloatArray x, FloatArray y) {
            for (@Parallel int k = 0; k < count; k++) y.set(begin + k, x.get(begin + k) * x.get(begin + k));
        }

        @Override
        public Optional<JvmKernel> jvm() {
            return Optional.of((memory, workers) -> {
                float[] v = memory.at(x).floats();
                for (int i = 0; i < v.length; i++) v[i] = v[i] * v[i] + error;
                memory.at(y).write(v, 0, 0, v.length, new short[1]);
            });
        }
    }
}
