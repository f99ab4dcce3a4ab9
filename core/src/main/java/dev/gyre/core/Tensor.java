package dev.gyre.core;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A multi-dimensional array in memory: row-major, contiguous, little-endian. A tensor does not own its memory, which belongs to a mapped
 * file, an arena, or for {@link #of(float[], int...)} the garbage collector.
 *
 * @param data {@code shape.elements()} elements of {@code dtype}, at any alignment
 */
public record Tensor(DType dtype, Shape shape, MemorySegment data) {
    /** The memory layout of an F32 element. */
    public static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** @throws IllegalArgumentException when the size of the data does not match the shape and type */
    public Tensor {
        long bytes = dtype.bytes(shape.elements());
        if (data.byteSize() != bytes)
            throw new IllegalArgumentException(
                    "a tensor " + dtype + " " + shape + " has " + bytes + " bytes, got " + data.byteSize());
    }

    /** An F32 tensor backed by the array. */
    public static Tensor of(float[] values, int... dims) {
        return new Tensor(DType.F32, Shape.of(dims), MemorySegment.ofArray(values));
    }

    /** An I32 tensor backed by the array. */
    public static Tensor of(int[] values, int... dims) {
        return new Tensor(DType.I32, Shape.of(dims), MemorySegment.ofArray(values));
    }

    /**
     * All elements as floats; narrower types are widened exactly.
     *
     * @throws IllegalStateException when the element type is not a floating-point type
     */
    public float[] floats() {
        float[] values = new float[shape.elements()];
        read(0, values, 0, values.length, new short[Math.min(values.length, 4096)]);
        return values;
    }

    /**
     * Widens {@code count} elements from flat index {@code from} into {@code to} at {@code at}.
     *
     * @param scratch a buffer for 16-bit elements, of any positive length (zero only if {@code count} is). HotSpot vectorizes a bulk copy
     *     into it and a loop over arrays, but not a loop over the segment
     * @throws IllegalStateException when the element type is not a floating-point type
     */
    public void read(long from, float[] to, int at, int count, short[] scratch) {
        if (dtype == DType.F32) {
            MemorySegment.copy(data, FLOAT, from * 4, to, at, count);
            return;
        }
        if (!dtype.isFloating())
            throw new IllegalStateException("elements of type " + dtype + " cannot be read as floats");
        if (dtype == DType.Q8_0) {
            Q8.read(data, from, to, at, count, scratch);
            return;
        }
        for (int done = 0; done < count; ) {
            int n = Math.min(count - done, scratch.length);
            MemorySegment.copy(data, SHORT, (from + done) * 2, scratch, 0, n);
            if (dtype == DType.F16) widenF16(scratch, to, at + done, n);
            else widenBF16(scratch, to, at + done, n);
            done += n;
        }
    }

    private static void widenF16(short[] from, float[] to, int at, int count) {
        for (int i = 0; i < count; i++) to[at + i] = Float.float16ToFloat(from[i]);
    }

    private static void widenBF16(short[] from, float[] to, int at, int count) {
        for (int i = 0; i < count; i++) to[at + i] = Float.intBitsToFloat(from[i] << 16);
    }

    /**
     * Stores {@code count} floats of {@code from}, starting at {@code begin}, as the elements from flat index {@code at}. The inverse of
     * {@link #read}, and exact for values that it returned; others are rounded to nearest in F16 and truncated in BF16.
     *
     * @throws IllegalStateException when the element type is not F32, F16 or BF16
     */
    public void write(float[] from, int begin, long at, int count, short[] scratch) {
        if (dtype == DType.F32) {
            MemorySegment.copy(from, begin, data, FLOAT, at * 4, count);
            return;
        }
        if (dtype != DType.F16 && dtype != DType.BF16)
            throw new IllegalStateException("cannot store floats as elements of type " + dtype);
        for (int done = 0; done < count; ) {
            int n = Math.min(count - done, scratch.length);
            if (dtype == DType.F16) narrowF16(from, begin + done, scratch, n);
            else narrowBF16(from, begin + done, scratch, n);
            MemorySegment.copy(scratch, 0, data, SHORT, (at + done) * 2, n);
            done += n;
        }
    }

    private static void narrowF16(float[] from, int at, short[] to, int count) {
        for (int i = 0; i < count; i++) to[i] = Float.floatToFloat16(from[at + i]);
    }

    private static void narrowBF16(float[] from, int at, short[] to, int count) {
        for (int i = 0; i < count; i++) to[i] = (short) (Float.floatToRawIntBits(from[at + i]) >>> 16);
    }
}
