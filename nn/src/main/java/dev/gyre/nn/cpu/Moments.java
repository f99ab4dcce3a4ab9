package dev.gyre.nn.cpu;

import dev.gyre.core.Scratch;
import dev.gyre.machine.kernel.ElementwiseKernels;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Sums along rows in {@value #CHAINS} interleaved accumulators: a single one would wait for every addition, and lose
 * more digits. The accumulators are reduced pairwise; elements beyond the last whole iteration are added at the end.
 */
public final class Moments {
    private static final int CHAINS = ElementwiseKernels.UNROLL;

    private Moments() {}

    /** The sum of x[at … at + count). */
    public static float sum(MemorySegment x, long at, int count, Scratch scratch) {
        float[] sums = scratch.floats(ScratchSlots.CHAINS, CHAINS);
        int done = MachineElementwise.sums(x, at, count, sums);
        float[] v = tail(x, at, count, done, scratch);
        if (done == 0) {
            Arrays.fill(sums, 0, CHAINS, 0f);
            for (; done <= count - CHAINS; done += CHAINS) for (int c = 0; c < CHAINS; c++) sums[c] += v[done + c];
        }
        float tailSum = 0f;
        for (int i = done; i < count; i++) tailSum += v[i];
        return reduce(sums) + tailSum;
    }

    /** The sum of squared differences of x[at … at + count) from {@code mean}. */
    public static float squaredDifferences(MemorySegment x, long at, int count, float mean, Scratch scratch) {
        float[] sums = scratch.floats(ScratchSlots.CHAINS, CHAINS);
        int done = MachineElementwise.squares(x, at, count, mean, sums);
        float[] v = tail(x, at, count, done, scratch);
        if (done == 0) {
            Arrays.fill(sums, 0, CHAINS, 0f);
            for (; done <= count - CHAINS; done += CHAINS)
                for (int c = 0; c < CHAINS; c++) sums[c] = square(v[done + c] - mean, sums[c]);
        }
        float tailSum = 0f;
        for (int i = done; i < count; i++) tailSum = square(v[i] - mean, tailSum);
        return reduce(sums) + tailSum;
    }

    /** An array that holds x[at + i] at i, from {@code done} on. */
    private static float[] tail(MemorySegment x, long at, int count, int done, Scratch scratch) {
        float[] v = scratch.floats(ScratchSlots.LINE, count);
        if (done < count) Elementwise.read(x, at + done, v, done, count - done);
        return v;
    }

    private static float reduce(float[] sums) {
        for (int half = CHAINS / 2; half > 0; half /= 2) for (int c = 0; c < half; c++) sums[c] += sums[c + half];
        return sums[0];
    }

    private static float square(float d, float sum) {
        return Math.fma(d, d, sum);
    }
}
