package dev.gyre.core;

import java.util.List;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** y = a + b. */
public record Sum(Value a, Value b, Value y) implements Op {
    public static Value of(Value a, Value b) {
        return a.graph().add(new Sum(a, b, a.like(a.shape().elements())));
    }

    @Override
    public List<Value> inputs() {
        return List.of(a, b);
    }

    @Override
    public Value output() {
        return y;
    }

    @Override
    public List<KernelCall> loops() {
        return List.of(Kernel.call(y.shape().elements(), Sum::sum, a, b, y));
    }

    public static void sum(int begin, int count, FloatArray a, FloatArray b, FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) y.set(begin + k, a.get(begin + k) + b.get(begin + k));
    }
}
