package dev.gyre.nn.linear;

import dev.gyre.nn.cpu.Gemm;
import dev.gyre.nn.cpu.MachineKernels;
import dev.gyre.nn.cpu.PanelOutput;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A row-major destination of C.
 *
 * @param y [rows, columns]
 * @param bias added to every row, [columns]
 */
record RowMajorOutput(MemorySegment y, int columns, float[] bias) implements Gemm.Output, PanelOutput {
    @Override
    public void store(int row, int column, int width, float[] from) {
        for (int i = 0; i < width; i++) from[i] += bias[column + i];
        MemorySegment.copy(from, 0, y, ValueLayout.JAVA_FLOAT, at(row, column), width);
    }

    @Override
    public void store(MemorySegment panel, int row, int rows, int column, int width) {
        MemorySegment to = y.asSlice(at(row, column));
        try {
            MachineKernels.StorePanel.COLUMN_BIAS.invokeExact(
                    panel,
                    to,
                    (long) rows,
                    (long) width,
                    (long) columns * Float.BYTES,
                    MachineKernels.segmentAt(bias, column));
        } catch (Throwable e) {
            throw MachineKernels.unexpected(e);
        }
    }

    private long at(int row, int column) {
        return ((long) row * columns + column) * Float.BYTES;
    }
}
