package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.List;

/** An off-heap array that a device can be handed: a header, then the elements. */
public abstract sealed class TornadoNativeArray permits ByteArray, FloatArray, HalfFloatArray, IntArray {
    /** Bytes in front of the elements. Read at run time, so that code compiled here follows the real one's value. */
    public static final long ARRAY_HEADER =
            Long.parseLong(System.getProperty("tornado.panama.objectHeader", headerOfThisJvm()));

    TornadoNativeArray() {}

    /** The size of a Java array's header, which differs where class or object pointers are not compressed. */
    private static String headerOfThisJvm() {
        List<String> flags = ManagementFactory.getRuntimeMXBean().getInputArguments();
        boolean wide = flags.contains("-XX:-UseCompressedOops") || flags.contains("-XX:-UseCompressedClassPointers");
        return wide ? "24" : "16";
    }

    /** The number of elements. */
    public abstract int getSize();

    /** The elements, without the header. */
    public abstract MemorySegment getSegment();

    public abstract MemorySegment getSegmentWithHeader();

    public abstract long getNumBytesOfSegmentWithHeader();

    public abstract long getNumBytesOfSegment();

    public abstract int getElementSize();
}
