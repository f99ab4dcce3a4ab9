package dev.gyre.nn.cpu;

import java.lang.foreign.MemorySegment;

/**
 * bf16 elements in pairs, each as wide as a float, stored in {@code float[]}s: two elements that follow each other
 * along K, the first in the lower half. Such an array is only copied, never computed with.
 */
public final class Bf16Pairs {
    private Bf16Pairs() {}

    /** The number of pairs that hold {@code elements} elements; an odd last element is paired with zero. */
    public static int count(int elements) {
        return (elements + 1) / 2;
    }

    /**
     * Rounds rows of floats; the neighbours of a row become pairs.
     *
     * @param fromStride bytes from one row of floats to the next
     * @param toStride bytes from one row of pairs to the next
     * @param count floats in a row
     */
    public static void alongRows(
            MemorySegment from, long fromStride, MemorySegment to, long toStride, int rows, int count) {
        try {
            MachineKernels.ToBf16Pairs.ALONG_ROWS.invokeExact(
                    from, fromStride, to, toStride, (long) rows, (long) count);
        } catch (Throwable e) {
            throw MachineKernels.unexpected(e);
        }
    }

    /** Rounds rows of floats; each two rows become one row of pairs. The parameters are those of {@link #alongRows}. */
    public static void acrossRows(
            MemorySegment from, long fromStride, MemorySegment to, long toStride, int rows, int count) {
        try {
            MachineKernels.ToBf16Pairs.ACROSS_ROWS.invokeExact(
                    from, fromStride, to, toStride, (long) rows, (long) count);
        } catch (Throwable e) {
            throw MachineKernels.unexpected(e);
        }
    }
}
