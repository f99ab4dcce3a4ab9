package dev.gyre.nn.shape;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Value;
import dev.gyre.core.Workers;
import dev.gyre.nn.cpu.Elementwise;
import dev.gyre.nn.cpu.ScratchSlots;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Circular padding: pads images as if they repeated. A convolution that follows it without padding of its own makes
 * images that tile.
 *
 * @param x [batch, channels, height, width]
 * @param by rows and columns on each side
 * @param y [batch, channels, height + 2 · by, width + 2 · by]
 */
public record CircularPad(Value x, int by, Value y) implements Op {
    /**
     * Adds circular padding of x [batch, channels, height, width]; returns [batch, channels, height + 2 · by, width + 2
     * · by].
     *
     * @throws IllegalArgumentException when {@code x} has fewer than {@code by} rows or columns
     */
    public static Value of(Value x, int by) {
        if (by > x.dim(2) || by > x.dim(3))
            throw new IllegalArgumentException("cannot pad " + x + " with " + by + " of its own rows and columns");
        return x.graph().add(new CircularPad(x, by, x.like(x.dim(0), x.dim(1), x.dim(2) + 2 * by, x.dim(3) + 2 * by)));
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
        return List.of(Kernel.call(y.shape().elements(), CircularPad::circularPad, x.dim(2), x.dim(3), by, x, y));
    }

    /** The definition. */
    public static void circularPad(int begin, int count, int height, int width, int by, FloatArray x, FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            int i = begin + k, columns = width + 2 * by, rows = height + 2 * by;
            int column = (i % columns + width - by) % width, row = (i / columns % rows + height - by) % height;
            y.set(i, x.get((i / (columns * rows) * height + row) * width + column));
        }
    }

    @Override
    public Optional<JvmKernel> jvm() {
        return Optional.of(this::run);
    }

    private void run(JvmMemory memory, Workers workers) {
        int height = x.dim(2), width = x.dim(3), rows = y.dim(2), columns = y.dim(3);
        MemorySegment from = memory.at(x).data(), to = memory.at(y).data();
        workers.run(x.dim(0) * x.dim(1), (plane, scratch) -> {
            float[] line = scratch.floats(ScratchSlots.LINE, columns);
            for (int row = 0; row < rows; row++) {
                long at = ((long) plane * height + (row + height - by) % height) * width;
                MemorySegment.copy(from, ValueLayout.JAVA_FLOAT, at * Float.BYTES, line, by, width);
                System.arraycopy(line, width, line, 0, by);
                System.arraycopy(line, by, line, by + width, by);
                Elementwise.write(line, to, ((long) plane * rows + row) * columns, columns);
            }
        });
    }
}
