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
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Nearest-neighbour upsampling: pixel (r, c) of y is pixel (⌊r · height / rows⌋, ⌊c · width / columns⌋) of x.
 *
 * @param x [batch, channels, height, width]
 * @param y [batch, channels, rows, columns]
 */
public record Upsample(Value x, Value y) implements Op {
    /** Adds an upsampling of x [batch, channels, height, width]; returns [batch, channels, rows, columns]. */
    public static Value of(Value x, int rows, int columns) {
        return x.graph().add(new Upsample(x, x.like(x.dim(0), x.dim(1), rows, columns)));
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
        return List.of(Kernel.call(
                y.shape().elements(), Upsample::upsampleNearest, x.dim(2), x.dim(3), y.dim(2), y.dim(3), x, y));
    }

    /** The definition. It must not be named upsample, a built-in function of OpenCL. */
    public static void upsampleNearest(
            int begin, int count, int height, int width, int rows, int columns, FloatArray x, FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            int i = begin + k, column = i % columns, row = i / columns % rows, plane = i / (columns * rows);
            y.set(i, x.get((plane * height + row * height / rows) * width + column * width / columns));
        }
    }

    /** A row of x is expanded once for all rows of y that repeat it. */
    @Override
    public Optional<JvmKernel> jvm() {
        return Optional.of(this::run);
    }

    private void run(JvmMemory memory, Workers workers) {
        int height = x.dim(2), width = x.dim(3), rows = y.dim(2), columns = y.dim(3);
        MemorySegment from = memory.at(x).data(), to = memory.at(y).data();
        int[] source = IntStream.range(0, columns).map(c -> c * width / columns).toArray();
        workers.run(x.dim(0) * x.dim(1), (plane, scratch) -> {
            float[] line = scratch.floats(ScratchSlots.LINE, width),
                    spread = scratch.floats(ScratchSlots.GATHERED, columns);
            for (int row = 0, current = -1; row < rows; row++) {
                int needed = row * height / rows;
                if (needed != current) {
                    Elementwise.read(from, ((long) plane * height + needed) * width, line, width);
                    for (int c = 0; c < columns; c++) spread[c] = line[source[c]];
                    current = needed;
                }
                Elementwise.write(spread, to, ((long) plane * rows + row) * columns, columns);
            }
        });
    }
}
