package example;

import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Value;
import java.util.List;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** y = max(x, slope · x): a record and a loop, and nothing else, for the JVM and for every device. */
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
