package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** An off-heap array of {@code float}. */
public final class FloatArray extends TornadoNativeArray {
    private static final int BYTES = 4;

    private final MemorySegment segment; // header and elements
    private final int size;
    private final long base;

    /** A zeroed array in memory that the garbage collector frees. */
    public FloatArray(int numberOfElements) {
        this(Arena.ofAuto().allocate(ARRAY_HEADER + (long) numberOfElements * BYTES, 8));
    }

    private FloatArray(MemorySegment withHeader) {
        long bytes = withHeader.byteSize() - ARRAY_HEADER;
        if (bytes < 0 || bytes % BYTES != 0)
            throw new IllegalArgumentException("a segment of " + withHeader.byteSize()
                    + " bytes does not hold a header of " + ARRAY_HEADER + " bytes and elements of " + BYTES);
        segment = withHeader;
        size = (int) (bytes / BYTES);
        base = ARRAY_HEADER;
        segment.set(ValueLayout.JAVA_INT_UNALIGNED, 0, size);
    }

    /** A copy of the array. */
    public static FloatArray fromArray(float[] values) {
        FloatArray array = new FloatArray(values.length);
        for (int i = 0; i < values.length; i++) array.set(i, values[i]);
        return array;
    }

    /** A copy of the elements. */
    public static FloatArray fromElements(float... values) {
        return fromArray(values);
    }

    /** A copy of the segment, which holds elements only. */
    public static FloatArray fromSegment(MemorySegment segment) {
        if (segment.byteSize() % BYTES != 0)
            throw new IllegalArgumentException(
                    segment.byteSize() + " bytes do not hold a whole number of elements of " + BYTES);
        FloatArray array = new FloatArray((int) (segment.byteSize() / BYTES));
        array.getSegment().copyFrom(segment);
        return array;
    }

    /** The segment itself: a header, which is written, then the elements. */
    public static FloatArray fromSegmentShallow(MemorySegment segment) {
        return new FloatArray(segment);
    }

    public float[] toHeapArray() {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) values[i] = get(i);
        return values;
    }

    public void set(int index, float value) {
        segment.set(ValueLayout.JAVA_FLOAT_UNALIGNED, base + (long) index * BYTES, value);
    }

    public float get(int index) {
        return segment.get(ValueLayout.JAVA_FLOAT_UNALIGNED, base + (long) index * BYTES);
    }

    /** Sets every element. */
    public void init(float value) {
        for (int i = 0; i < size; i++) set(i, value);
    }

    @Override
    public int getSize() {
        return size;
    }

    @Override
    public MemorySegment getSegment() {
        return segment.asSlice(base);
    }

    @Override
    public MemorySegment getSegmentWithHeader() {
        return segment;
    }

    @Override
    public long getNumBytesOfSegmentWithHeader() {
        return segment.byteSize();
    }

    @Override
    public long getNumBytesOfSegment() {
        return segment.byteSize() - base;
    }

    @Override
    public int getElementSize() {
        return BYTES;
    }
}
