package dev.gyre.nn.cpu;

import java.lang.foreign.MemorySegment;

/**
 * Numbers rounded to bf16 in pairs that are as wide as a float, and lie in {@code float[]}s: two numbers that follow one another in
 * what a product sums over, the first in the lower half. Such an array is never computed with, only copied.
 */
public final class Bf16Pairs {
    private Bf16Pairs() {}

    /** Pairs that so many numbers take; an odd one's partner is zero. */
    public static int count(int numbers) {
        return (numbers + 1) / 2;
    }

    /**
     * Neighbours of each row become pairs.
     *
     * @param distance bytes from one row of floats to the next
     * @param apart bytes from one row of pairs to the next
     * @param count floats in a row
     */
    public static void alongRows(MemorySegment from, long distance, MemorySegment to, long apart, int rows, int count) {
        try {
            MachineKernels.ToBf16Pairs.ALONG_ROWS.invokeExact(from, distance, to, apart, (long) rows, (long) count);
        } catch (Throwable e) {
            throw MachineKernels.unexpected(e);
        }
    }

    /** Two rows become one of pairs; the parameters are as in {@link #alongRows}. */
    public static void acrossRows(MemorySegment from, long distance, MemorySegment to, long apart, int rows, int count) {
        try {
            MachineKernels.ToBf16Pairs.ACROSS_ROWS.invokeExact(from, distance, to, apart, (long) rows, (long) count);
        } catch (Throwable e) {
            throw MachineKernels.unexpected(e);
        }
    }
}
