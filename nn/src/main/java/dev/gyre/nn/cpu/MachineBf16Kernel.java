package dev.gyre.nn.cpu;

import dev.gyre.core.Scratch;
import java.lang.foreign.MemorySegment;

/**
 * The innermost block on bf16 in machine code: an element of A and of B is one of {@link Bf16Pairs}, and a band of A lies row after row
 * (a[at + i · depth + k]), as AMX's tiles want it. The softmax takes floats and leaves pairs of keys.
 */
public final class MachineBf16Kernel extends MachinePackedMicroKernel {
    public MachineBf16Kernel() {
        this(MachineKernels.Pairs.ROWS);
    }

    private MachineBf16Kernel(int rows) {
        super(rows);
    }

    @Override
    public MicroKernel fitting(int rows) {
        if (MachineKernels.TILES) return this;
        MachineBf16Kernel best = this;
        for (int other : new int[] {10, 8}) {
            MachineBf16Kernel tile = new MachineBf16Kernel(other);
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
                MachineKernels.at(a, at),
                MemorySegment.ofArray(b[firstB]),
                depth,
                MachineKernels.at(c[firstC], row * strip()),
                rows);
    }

    /** {@link #multiply} wherever A, a strip of B and one of C lie. */
    public void multiply(boolean add, MemorySegment a, MemorySegment b, int depth, MemorySegment c, int rows) {
        long bands = padded(rows) / rows(), adding = add ? 1 : 0;
        try {
            if (rows() == 8) MachineKernels.Eight.MULTIPLY.invokeExact(a, b, c, (long) depth, bands, adding);
            else if (rows() == 10) MachineKernels.Ten.MULTIPLY.invokeExact(a, b, c, (long) depth, bands, adding);
            else MachineKernels.Pairs.MULTIPLY.invokeExact(a, b, c, (long) depth, bands, adding);
        } catch (Throwable e) {
            throw MachineKernels.unexpected(e);
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
            MachineKernels.Pairs.SOFTMAX.invokeExact(
                    MemorySegment.ofArray(scores[first]),
                    MachineKernels.at(largest, at),
                    MachineKernels.at(total, at),
                    MachineKernels.at(correction, at),
                    (long) rows);
        } catch (Throwable e) {
            throw MachineKernels.unexpected(e);
        }
    }
}
