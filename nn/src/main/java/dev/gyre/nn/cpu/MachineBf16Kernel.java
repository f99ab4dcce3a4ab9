package dev.gyre.nn.cpu;

import dev.gyre.core.Scratch;
import java.lang.foreign.MemorySegment;

/**
 * The bf16 micro-kernel in machine code: an element of A or B is one of {@link Bf16Pairs}, and a panel of A is stored
 * row by row (a[at + i · depth + k]), as AMX loads it. The softmax takes floats and writes pairs of keys.
 */
public final class MachineBf16Kernel extends MachinePackedMicroKernel {
    public MachineBf16Kernel() {
        this(MachineKernels.GemmBf16.MR);
    }

    private MachineBf16Kernel(int mr) {
        super(mr);
    }

    @Override
    public MicroKernel fitting(int rows) {
        if (MachineKernels.AMX) return this;
        MachineBf16Kernel best = this;
        for (int other : new int[] {10, 8}) {
            MachineBf16Kernel candidate = new MachineBf16Kernel(other);
            if (candidate.padded(rows) < best.padded(rows)) best = candidate;
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

    /** {@link #multiply} with A, a panel of B and a panel of C anywhere in memory. */
    public void multiply(boolean add, MemorySegment a, MemorySegment b, int depth, MemorySegment c, int rows) {
        long panels = padded(rows) / mr(), accumulate = add ? 1 : 0;
        try {
            if (mr() == 8) MachineKernels.GemmBf16Mr8.MULTIPLY.invokeExact(a, b, c, (long) depth, panels, accumulate);
            else if (mr() == 10)
                MachineKernels.GemmBf16Mr10.MULTIPLY.invokeExact(a, b, c, (long) depth, panels, accumulate);
            else MachineKernels.GemmBf16.MULTIPLY.invokeExact(a, b, c, (long) depth, panels, accumulate);
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
