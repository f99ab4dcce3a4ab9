package dev.gyre.nn.cpu;

import dev.gyre.core.Scratch;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A tile whose strips are one array each, row after row. */
public abstract class PackedMicroKernel implements MicroKernel {
    private final int rows;
    private final int strip;

    PackedMicroKernel(int rows, int strip) {
        this.rows = rows;
        this.strip = strip;
    }

    @Override
    public final int rows() {
        return rows;
    }

    @Override
    public final int strip() {
        return strip;
    }

    @Override
    public final int lines(int rows) {
        return 1;
    }

    /** A little longer than needed: lines that follow one another at a multiple of 4 KiB would share a few sets of the first cache. */
    @Override
    public final int lineLength(int rows) {
        return rows * strip + strip + strip / 2;
    }

    @Override
    public final void put(float[] from, int at, int width, float[][] to, int first, int lines, int row, int column) {
        int done = 0;
        if (column % strip == 0)
            for (int i = first + column / strip * lines; done + strip <= width; done += strip, i += lines)
                copy(from, at + done, to[i], row * strip);
        while (done < width) {
            int here = (column + done) % strip, n = Math.min(width - done, strip - here);
            System.arraycopy(from, at + done, to[first + (column + done) / strip * lines], row * strip + here, n);
            done += n;
        }
    }

    @Override
    public final void get(float[][] from, int first, int lines, int row, int column, float[] to, int at, int width) {
        int done = 0;
        if (column % strip == 0)
            for (int i = first + column / strip * lines; done + strip <= width; done += strip, i += lines)
                copy(from[i], row * strip, to, at + done);
        while (done < width) {
            int here = (column + done) % strip, n = Math.min(width - done, strip - here);
            System.arraycopy(from[first + (column + done) / strip * lines], row * strip + here, to, at + done, n);
            done += n;
        }
    }

    /** Copies one row of a strip. */
    void copy(float[] from, int at, float[] to, int begin) {
        System.arraycopy(from, at, to, begin, strip);
    }

    @Override
    public void columns(float[][] from, int first, int rows, int count, MemorySegment to, long at, long apart) {
        float[] lines = from[first];
        for (int column = 0; column < count; column++)
            for (int i = 0; i < rows; i++)
                to.setAtIndex(ValueLayout.JAVA_FLOAT, at + column * apart + i, lines[i * strip + column]);
    }

    @Override
    public final void fill(PackedRows from, int column, int k, int depth, float[][] to, int first, Scratch scratch) {
        from.read(column, k, depth, to[first], 0, scratch);
    }
}
