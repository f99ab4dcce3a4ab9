package dev.gyre.nn;

import dev.gyre.core.Scratch;
import dev.gyre.machine.Feature;
import dev.gyre.machine.Machine;
import java.lang.foreign.MemorySegment;

/**
 * The innermost block in machine code: at full speed from its first call, and without the Vector API's module. Gives the same bits
 * as {@link VectorTile} and {@link PlainTile}.
 */
final class MachineTile extends MachineStripTile {
    MachineTile() {
        super(Kernels.Floats.ROWS);
    }

    /** Whether code can be placed and the processor has what it needs. */
    static boolean isThere() {
        return Machine.HERE.has(Feature.AVX2);
    }

    /** Why it is not there. */
    static String whyNot() {
        return Machine.HERE.refusal().orElse("the processor lacks AVX2, or it is switched off");
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
        MemorySegment left = Kernels.at(a, at), right = MemorySegment.ofArray(b[firstB]);
        MemorySegment sums = Kernels.at(c[firstC], row * strip());
        long bands = padded(rows) / rows(), adding = add ? 1 : 0;
        try {
            if (rows <= 2) Kernels.Floats.TWO.invokeExact(left, right, sums, (long) depth, 1L, adding);
            else Kernels.Floats.MULTIPLY.invokeExact(left, right, sums, (long) depth, bands, adding);
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
            Kernels.Floats.SOFTMAX.invokeExact(
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
