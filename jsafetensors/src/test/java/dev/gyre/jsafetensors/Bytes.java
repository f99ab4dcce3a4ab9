package dev.gyre.jsafetensors;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Files put together by hand, right or wrong. */
final class Bytes {
    private Bytes() {}

    /** A file with this header, as it is, and so many bytes 0, 1, 2, … of data. */
    static byte[] file(String header, int dataBytes) {
        return file(header.getBytes(StandardCharsets.UTF_8), dataBytes);
    }

    static byte[] file(byte[] header, int dataBytes) {
        return file(header.length, header, dataBytes);
    }

    /** A file whose header claims a length of its own. */
    static byte[] file(long claimedLength, byte[] header, int dataBytes) {
        ByteBuffer file = ByteBuffer.allocate(8 + header.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(claimedLength).put(header);
        for (int i = 0; i < dataBytes; i++) file.put((byte) i);
        return file.array();
    }

    /** A header's entry for one tensor. */
    static String entry(String name, String dtype, String shape, long begin, long end) {
        return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":[" + begin + ","
                + end + "]}";
    }

    static SafeTensors open(byte[] file) throws SafeTensorsException {
        return SafeTensors.of(MemorySegment.ofArray(file), "some.safetensors");
    }
}
