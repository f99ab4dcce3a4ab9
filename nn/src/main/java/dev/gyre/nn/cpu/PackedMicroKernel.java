package dev.gyre.nn.cpu;

import dev.gyre.core.Scratch;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A micro-kernel whose panels of B are one array each, row by row. */
public abstract class PackedMicroKernel implements MicroKernel {
    private final int mr;
    private final int nr;

    PackedMicroKernel(int mr, int nr) {
        this.mr = mr;
        this.nr = nr;
    }

    @Override
    public final int mr() {
        return mr;
    }

    @Override
    public final int nr() {
        return nr;
    }

    @Override
    public final int arrays(int rows) {
        return 1;
    }

    /**
     * A little longer than needed: arrays whose addresses differ by a multiple of 4 KiB would compete for a few sets of
     * the L1 cache.
     */
    @Override
    public final int arrayLength(int rows) {
        return rows * nr + nr + nr / 2;
    }

    @Override
    public final void packRow(
            float[] from, int at, int width, float[][] to, int first, int arrays, int row, int column) {
        int done = 0;
        if (column % nr == 0)
            for (int i = first + column / nr * arrays; done + nr <= width; done += nr, i += arrays)
                copyRow(from, at + done, to[i], row * nr);
        while (done < width) {
            int here = (column + done) % nr, n = Math.min(width - done, nr - here);
            System.arraycopy(from, at + done, to[first + (column + done) / nr * arrays], row * nr + here, n);
            done += n;
        }
    }

    @Override
    public final void unpackRow(
            float[][] from, int first, int arrays, int row, int column, float[] to, int at, int width) {
        int done = 0;
        if (column % nr == 0)
            for (int i = first + column / nr * arrays; done + nr <= width; done += nr, i += arrays)
                copyRow(from[i], row * nr, to, at + done);
        while (done < width) {
            int here = (column + done) % nr, n = Math.min(width - done, nr - here);
            System.arraycopy(from[first + (column + done) / nr * arrays], row * nr + here, to, at + done, n);
            done += n;
        }
    }

    /** Copies one row of a panel. */
    void copyRow(float[] from, int at, float[] to, int begin) {
        System.arraycopy(from, at, to, begin, nr);
    }

    @Override
    public void storeTransposed(
            float[][] from, int first, int rows, int count, MemorySegment to, long at, long stride) {
        float[] panel = from[first];
        for (int column = 0; column < count; column++)
            for (int i = 0; i < rows; i++)
                to.setAtIndex(ValueLayout.JAVA_FLOAT, at + column * stride + i, panel[i * nr + column]);
    }

    @Override
    public final void packPanel(
            PackedRows from, int column, int k, int depth, float[][] to, int first, Scratch scratch) {
        from.pack(column, k, depth, to[first], 0, scratch);
    }
}
