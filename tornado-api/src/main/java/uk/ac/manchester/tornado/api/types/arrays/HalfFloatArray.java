package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import uk.ac.manchester.tornado.api.types.HalfFloat;

/** An off-heap array of {@code HalfFloat}. */
public final class HalfFloatArray extends TornadoNativeArray {
    private static final int BYTES = 2;

    private final MemorySegment segment; // header and elements
    private final int size;
    private final long base;

    /** A zeroed array in memory that the garbage collector frees. */
    public HalfFloatArray(int numberOfElements) {
        this(Arena.ofAuto().allocate(ARRAY_HEADER + (long) numberOfElements * BYTES, 8));
    }

    private HalfFloatArray(MemorySegment withHeader) {
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
    public static HalfFloatArray fromArray(HalfFloat[] values) {
        HalfFloatArray array = new HalfFloatArray(values.length);
        for (int i = 0; i < values.length; i++) array.set(i, values[i]);
        return array;
    }

    /** A copy of the elements. */
    public static HalfFloatArray fromElements(HalfFloat... values) {
        return fromArray(values);
    }

    /** A copy of the segment, which holds elements only. */
    public static HalfFloatArray fromSegment(MemorySegment segment) {
        if (segment.byteSize() % BYTES != 0)
            throw new IllegalArgumentException(
                    segment.byteSize() + " bytes do not hold a whole number of elements of " + BYTES);
        HalfFloatArray array = new HalfFloatArray((int) (segment.byteSize() / BYTES));
        array.getSegment().copyFrom(segment);
        return array;
    }

    /** The segment itself: a header, which is written, then the elements. */
    public static HalfFloatArray fromSegmentShallow(MemorySegment segment) {
        return new HalfFloatArray(segment);
    }

    public HalfFloat[] toHeapArray() {
        HalfFloat[] values = new HalfFloat[size];
        for (int i = 0; i < size; i++) values[i] = get(i);
        return values;
    }

    public void set(int index, HalfFloat value) {
        segment.set(ValueLayout.JAVA_SHORT_UNALIGNED, base + (long) index * BYTES, value.getHalfFloatValue());
    }

    public HalfFloat get(int index) {
        return new HalfFloat(segment.get(ValueLayout.JAVA_SHORT_UNALIGNED, base + (long) index * BYTES));
    }

    /** Sets every element. */
    public void init(HalfFloat value) {
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
