package dev.gyre.nn;

import dev.gyre.core.Op;
import dev.gyre.core.Step;
import dev.gyre.core.Value;
import java.util.List;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Swaps the last two dimensions: [batch, channels, pixels] to [batch, pixels, channels] and back.
 *
 * @param x [batch, rows, columns]
 * @param y [batch, columns, rows]
 */
public record Transpose(Value x, Value y) implements Op {
    public static Value of(Value x) {
        return x.graph().add(new Transpose(x, x.like(x.dim(0), x.dim(2), x.dim(1))));
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
    public List<Step> loops() {
        return List.of(Step.of(y.shape().elements(), Transpose::transpose, x.dim(1), x.dim(2), x, y));
    }

    /** The definition. */
    public static void transpose(int begin, int count, int rows, int columns, FloatArray x, FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            int i = begin + k, row = i % rows, column = i / rows % columns, batch = i / (rows * columns);
            y.set(i, x.get((batch * rows + row) * columns + column));
        }
    }
}
