package dev.gyre.nn.cpu;

import dev.gyre.core.Scratch;
import java.lang.foreign.MemorySegment;

/** A micro-kernel whose panels of B are two vectors wide, with its packing and scaling in machine code. */
public abstract class MachinePackedMicroKernel extends PackedMicroKernel {
    MachinePackedMicroKernel(int mr) {
        super(mr, MachineKernels.VECTOR_BITS / 16);
    }

    @Override
    public final void storeTransposed(
            float[][] from, int first, int rows, int count, MemorySegment to, long at, long stride) {
        MachineElementwise.transpose(MemorySegment.ofArray(from[first]), 0, nr(), rows, count, 1f, to, at, stride);
    }

    @Override
    public final void packRows(
            MemorySegment from,
            long at,
            long stride,
            int depth,
            float[][] to,
            int arrays,
            int column,
            int width,
            Scratch scratch) {
        int done = 0;
        if (column % nr() == 0)
            for (; done + nr() <= width; done += nr())
                try {
                    MachineKernels.LoadPanel.B_PANEL.invokeExact(
                            from.asSlice((at + done) * Float.BYTES),
                            stride * Float.BYTES,
                            MemorySegment.ofArray(to[(column + done) / nr() * arrays]),
                            (long) depth);
                } catch (Throwable e) {
                    throw MachineKernels.unexpected(e);
                }
        if (done < width)
            super.packRows(from, at + done, stride, depth, to, arrays, column + done, width - done, scratch);
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
