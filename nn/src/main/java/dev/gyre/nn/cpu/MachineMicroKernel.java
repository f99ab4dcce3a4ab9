package dev.gyre.nn.cpu;

import dev.gyre.core.Scratch;
import dev.gyre.machine.Feature;
import dev.gyre.machine.NativeCode;
import java.lang.foreign.MemorySegment;

/**
 * The innermost block in machine code: at full speed from its first call, and without the Vector API's module. Gives the same bits
 * as {@link VectorKernel} and {@link ScalarKernel}.
 */
public final class MachineMicroKernel extends MachinePackedMicroKernel {
    MachineMicroKernel() {
        super(MachineKernels.Floats.ROWS);
    }

    /** Whether code can be placed and the processor has what it needs. */
    public static boolean isThere() {
        return NativeCode.HERE.has(Feature.AVX2);
    }

    /** Why it is not there. */
    public static String whyNot() {
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
        MemorySegment left = MachineKernels.at(a, at), right = MemorySegment.ofArray(b[firstB]);
        MemorySegment sums = MachineKernels.at(c[firstC], row * strip());
        long bands = padded(rows) / rows(), adding = add ? 1 : 0;
        try {
            if (rows <= 2) MachineKernels.Floats.TWO.invokeExact(left, right, sums, (long) depth, 1L, adding);
            else MachineKernels.Floats.MULTIPLY.invokeExact(left, right, sums, (long) depth, bands, adding);
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
            MachineKernels.Floats.SOFTMAX.invokeExact(
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
