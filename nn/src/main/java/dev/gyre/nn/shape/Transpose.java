package dev.gyre.nn.shape;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Scratch;
import dev.gyre.core.Value;
import dev.gyre.core.Workers;
import dev.gyre.nn.cpu.Elementwise;
import dev.gyre.nn.cpu.MachineElementwise;
import dev.gyre.nn.cpu.MachineMicroKernel;
import dev.gyre.nn.cpu.PackedRows;
import dev.gyre.nn.cpu.ScratchSlots;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Swaps the last two dimensions: [batch, channels, pixels] to [batch, pixels, channels] and back.
 *
 * @param x [batch, rows, columns]
 * @param y [batch, columns, rows]
 */
public record Transpose(Value x, Value y) implements Op {
    /** Adds a transpose of x [batch, rows, columns]; returns [batch, columns, rows]. */
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
    public List<KernelCall> loops() {
        return List.of(Kernel.call(y.shape().elements(), Transpose::transpose, x.dim(1), x.dim(2), x, y));
    }

    /** The definition. */
    public static void transpose(int begin, int count, int rows, int columns, FloatArray x, FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            int i = begin + k, row = i % rows, column = i / rows % columns, batch = i / (rows * columns);
            y.set(i, x.get((batch * rows + row) * columns + column));
        }
    }

    /** Blocks of rows and columns, so that reads and writes stay within a few cache lines. */
    @Override
    public Optional<JvmKernel> jvm() {
        return Optional.of(this::run);
    }

    private void run(JvmMemory memory, Workers workers) {
        int rows = x.dim(1), columns = x.dim(2), side = 64, blocks = (rows + side - 1) / side;
        MemorySegment from = memory.at(x).data(), to = memory.at(y).data();
        workers.run(x.dim(0) * blocks, (piece, scratch) -> {
            int batch = piece / blocks, first = piece % blocks * side, n = Math.min(side, rows - first);
            long start = ((long) batch * rows + first) * columns, end = (long) batch * columns * rows + first;
            for (int c = 0; c < columns; c += side)
                block(from, start + c, to, end + (long) c * rows, n, Math.min(side, columns - c), scratch);
        });
    }

    private void block(MemorySegment from, long at, MemorySegment to, long place, int n, int count, Scratch scratch) {
        int rows = x.dim(1), columns = x.dim(2);
        if (MachineMicroKernel.isAvailable()) {
            MachineElementwise.transpose(from, at, columns, n, count, 1f, to, place, rows);
            return;
        }
        float[] buffer = scratch.floats(ScratchSlots.A_PANEL, count * n);
        PackedRows.interleave(from, at, columns, n, count, 1f, buffer, 0, n);
        for (int c = 0; c < count; c++) Elementwise.write(buffer, c * n, to, place + (long) c * rows, n);
    }
}
