package dev.gyre.nn;

import dev.gyre.core.Scratch;
import java.lang.foreign.MemorySegment;

/**
 * The innermost block on bf16 in machine code: an element of A and of B is one of {@link Pairs}, and a band of A lies row after row
 * (a[at + i · depth + k]), as AMX's tiles want it. The softmax takes floats and leaves pairs of keys.
 */
final class PairTile extends MachineStripTile {
    PairTile() {
        this(Kernels.Pairs.ROWS);
    }

    private PairTile(int rows) {
        super(rows);
    }

    @Override
    public Tile fitting(int rows) {
        if (Kernels.TILES) return this;
        PairTile best = this;
        for (int other : new int[] {10, 8}) {
            PairTile tile = new PairTile(other);
            if (tile.padded(rows) < best.padded(rows)) best = tile;
        }
        return best;
    }

    @Override
    public void multiply(
            boolean add,
            float[] a,
            int at,
            float[][] b,
            int firstB,
            int depth,
            float[][] c,
            int firstC,
            int row,
            int rows,
            int width,
            Scratch scratch) {
        multiply(
                add,
                Kernels.at(a, at),
                MemorySegment.ofArray(b[firstB]),
                depth,
                Kernels.at(c[firstC], row * strip()),
                rows);
    }

    /** {@link #multiply} wherever A, a strip of B and one of C lie. */
    void multiply(boolean add, MemorySegment a, MemorySegment b, int depth, MemorySegment c, int rows) {
        long bands = padded(rows) / rows(), adding = add ? 1 : 0;
        try {
            if (rows() == 8) Kernels.Eight.MULTIPLY.invokeExact(a, b, c, (long) depth, bands, adding);
            else if (rows() == 10) Kernels.Ten.MULTIPLY.invokeExact(a, b, c, (long) depth, bands, adding);
            else Kernels.Pairs.MULTIPLY.invokeExact(a, b, c, (long) depth, bands, adding);
        } catch (Throwable e) {
            throw Kernels.unexpected(e);
        }
    }

    @Override
    public void softmax(
            float[][] scores,
            int first,
            int rows,
            int width,
            float[] largest,
            float[] total,
            float[] correction,
            int at,
            Scratch scratch) {
        try {
            Kernels.Pairs.SOFTMAX.invokeExact(
                    MemorySegment.ofArray(scores[first]),
                    Kernels.at(largest, at),
                    Kernels.at(total, at),
                    Kernels.at(correction, at),
                    (long) rows);
        } catch (Throwable e) {
            throw Kernels.unexpected(e);
        }
    }
}
