package dev.gyre.nn.cpu;

import dev.gyre.core.Scratch;
import java.lang.foreign.MemorySegment;

/**
 * The innermost block on bf16 in machine code: an element of A and of B is one of {@link Bf16Pairs}, and a band of A lies row after row
 * (a[at + i · depth + k]), as AMX's tiles want it. The softmax takes floats and leaves pairs of keys.
 */
public final class MachineBf16Kernel extends MachinePackedMicroKernel {
    public MachineBf16Kernel() {
        this(MachineKernels.GemmBf16.MR);
    }

    private MachineBf16Kernel(int rows) {
        super(rows);
    }

    @Override
    public MicroKernel fitting(int rows) {
        if (MachineKernels.AMX) return this;
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
                MachineKernels.segmentAt(a, at),
                MemorySegment.ofArray(b[firstB]),
                depth,
                MachineKernels.segmentAt(c[firstC], row * nr()),
                rows);
    }

    /** {@link #multiply} wherever A, a strip of B and one of C lie. */
    public void multiply(boolean add, MemorySegment a, MemorySegment b, int depth, MemorySegment c, int rows) {
        long bands = padded(rows) / mr(), adding = add ? 1 : 0;
        try {
            if (mr() == 8) MachineKernels.GemmBf16Mr8.MULTIPLY.invokeExact(a, b, c, (long) depth, bands, adding);
            else if (mr() == 10) MachineKernels.GemmBf16Mr10.MULTIPLY.invokeExact(a, b, c, (long) depth, bands, adding);
            else MachineKernels.GemmBf16.MULTIPLY.invokeExact(a, b, c, (long) depth, bands, adding);
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
            MachineKernels.GemmBf16.SOFTMAX.invokeExact(
                    MemorySegment.ofArray(scores[first]),
                    MachineKernels.segmentAt(largest, at),
                    MachineKernels.segmentAt(total, at),
                    MachineKernels.segmentAt(correction, at),
                    (long) rows);
        } catch (Throwable e) {
            throw MachineKernels.unexpected(e);
        }
    }
}
