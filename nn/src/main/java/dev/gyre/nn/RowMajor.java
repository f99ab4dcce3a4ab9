package dev.gyre.nn;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A product that lies row after row.
 *
 * @param y [rows, columns]
 * @param bias added to every row, [columns]
 */
record RowMajor(MemorySegment y, int columns, float[] bias) implements Gemm.Out {
    @Override
    public void store(int row, int column, int width, float[] from) {
        for (int i = 0; i < width; i++) from[i] += bias[column + i];
        MemorySegment.copy(from, 0, y, ValueLayout.JAVA_FLOAT, at(row, column), width);
    }

    private long at(int row, int column) {
        return ((long) row * columns + column) * Float.BYTES;
    }
}
