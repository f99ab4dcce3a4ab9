package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** An off-heap array of {@code byte}. */
public final class ByteArray extends TornadoNativeArray {
    private static final int BYTES = 1;

    private final MemorySegment segment; // header and elements
    private final int size;
    private final long base;

    /** A zeroed array in memory that the garbage collector frees. */
    public ByteArray(int numberOfElements) {
        this(Arena.ofAuto().allocate(ARRAY_HEADER + (long) numberOfElements * BYTES, 8));
    }

    private ByteArray(MemorySegment withHeader) {
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
    public static ByteArray fromArray(byte[] values) {
        ByteArray array = new ByteArray(values.length);
        for (int i = 0; i < values.length; i++) array.set(i, values[i]);
        return array;
    }

    /** A copy of the elements. */
    public static ByteArray fromElements(byte... values) {
        return fromArray(values);
    }

    /** A copy of the segment, which holds elements only. */
    public static ByteArray fromSegment(MemorySegment segment) {
        if (segment.byteSize() % BYTES != 0)
            throw new IllegalArgumentException(
                    segment.byteSize() + " bytes do not hold a whole number of elements of " + BYTES);
        ByteArray array = new ByteArray((int) (segment.byteSize() / BYTES));
        array.getSegment().copyFrom(segment);
        return array;
    }

    /** The segment itself: a header, which is written, then the elements. */
    public static ByteArray fromSegmentShallow(MemorySegment segment) {
        return new ByteArray(segment);
    }

    public byte[] toHeapArray() {
        byte[] values = new byte[size];
        for (int i = 0; i < size; i++) values[i] = get(i);
        return values;
    }

    public void set(int index, byte value) {
        segment.set(ValueLayout.JAVA_BYTE, base + index, value);
    }

    public byte get(int index) {
        return segment.get(ValueLayout.JAVA_BYTE, base + index);
    }

    /** Sets every element. */
    public void init(byte value) {
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
