package dev.gyre.core;

import java.util.List;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** y = 2 x + 1 in two kernel calls with scratch between them: an op for tests, as a user would write it. */
public record Twice(Value x, Value y) implements Op {
    public static Value of(Value x) {
        return x.graph().add(new Twice(x, x.like(x.shape().elements())));
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
        int n = y.shape().elements();
        Value doubled = Value.scratch(DType.F32, n);
        return List.of(Kernel.call(n, Twice::twice, x, doubled), Kernel.call(n, Twice::addNumber, 1f, doubled, y));
    }

    public static void twice(int begin, int count, FloatArray x, FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) y.set(begin + k, 2 * x.get(begin + k));
    }

    public static void addNumber(int begin, int count, float number, FloatArray x, FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) y.set(begin + k, x.get(begin + k) + number);
    }
}
