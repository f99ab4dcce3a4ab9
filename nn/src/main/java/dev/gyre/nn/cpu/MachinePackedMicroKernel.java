package dev.gyre.nn.cpu;

import dev.gyre.core.Scratch;
import java.lang.foreign.MemorySegment;

/** A tile whose strips are two of the processor's vectors wide, and what is done with them besides products, in machine code. */
public abstract class MachinePackedMicroKernel extends PackedMicroKernel {
    MachinePackedMicroKernel(int rows) {
        super(rows, MachineKernels.VECTOR_BITS / 16);
    }

    @Override
    public final void storeTransposed(float[][] from, int first, int rows, int count, MemorySegment to, long at, long apart) {
        MachineElementwise.transpose(MemorySegment.ofArray(from[first]), 0, nr(), rows, count, 1f, to, at, apart);
    }

    @Override
    public final void packRows(
            MemorySegment from,
            long at,
            long apart,
            int depth,
            float[][] to,
            int lines,
            int column,
            int width,
            Scratch scratch) {
        int done = 0;
        if (column % nr() == 0)
            for (; done + nr() <= width; done += nr())
                try {
                    MachineKernels.LoadPanel.B_PANEL.invokeExact(
                            from.asSlice((at + done) * Float.BYTES),
                            apart * Float.BYTES,
                            MemorySegment.ofArray(to[(column + done) / nr() * lines]),
                            (long) depth);
                } catch (Throwable e) {
                    throw MachineKernels.unexpected(e);
                }
        if (done < width) super.packRows(from, at + done, apart, depth, to, lines, column + done, width - done, scratch);
    }

    @Override
    public final void scale(float[][] c, int first, int rows, int width, float[] factors, int at) {
        try {
            MachineKernels.GemmF32.SCALE.invokeExact(
                    MemorySegment.ofArray(c[first]), MachineKernels.segmentAt(factors, at), (long) rows);
        } catch (Throwable e) {
            throw MachineKernels.unexpected(e);
        }
    }
}
