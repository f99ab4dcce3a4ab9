package dev.gyre.nn.cpu;

import dev.gyre.core.Scratch;
import dev.gyre.machine.Feature;
import dev.gyre.machine.NativeCode;
import java.lang.foreign.MemorySegment;

/**
 * The float32 micro-kernel in machine code: at full speed from its first call, and without the Vector API's module. It
 * gives the same bits as {@link VectorKernel} and {@link ScalarKernel}.
 */
public final class MachineMicroKernel extends MachinePackedMicroKernel {
    MachineMicroKernel() {
        super(MachineKernels.GemmF32.MR);
    }

    /** Whether code can be placed and the processor has AVX2. */
    public static boolean isAvailable() {
        return NativeCode.HERE.has(Feature.AVX2);
    }

    /** Why it is not available. */
    public static String refusal() {
        return NativeCode.HERE.refusal().orElse("the processor lacks AVX2, or it is switched off");
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
        MemorySegment left = MachineKernels.segmentAt(a, at), right = MemorySegment.ofArray(b[firstB]);
        MemorySegment sums = MachineKernels.segmentAt(c[firstC], row * nr());
        long panels = padded(rows) / mr(), accumulate = add ? 1 : 0;
        try {
            if (rows <= 2)
                MachineKernels.GemmF32.MULTIPLY_TWO_ROWS.invokeExact(left, right, sums, (long) depth, 1L, accumulate);
            else MachineKernels.GemmF32.MULTIPLY.invokeExact(left, right, sums, (long) depth, panels, accumulate);
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
            MachineKernels.GemmF32.SOFTMAX.invokeExact(
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
