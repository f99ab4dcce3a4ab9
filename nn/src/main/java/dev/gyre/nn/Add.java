package dev.gyre.nn;

import dev.gyre.core.Op;
import dev.gyre.core.Step;
import dev.gyre.core.Value;
import java.util.List;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * y = a + b, element by element.
 *
 * @param a any shape
 * @param b as a
 * @param y as a
 */
public record Add(Value a, Value b, Value y) implements Op {
    public static Value of(Value a, Value b) {
        if (!a.shape().equals(b.shape()))
            throw new IllegalArgumentException("cannot add " + a + " and " + b + ": their shapes differ");
        return Elementwise.like(a, y -> new Add(a, b, y));
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
    public List<Step> loops() {
        return List.of(Step.of(y.shape().elements(), Add::add, a, b, y));
    }

    /** The definition. */
    public static void add(int begin, int count, FloatArray a, FloatArray b, FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            int i = begin + k;
            y.set(i, a.get(i) + b.get(i));
        }
    }
}
