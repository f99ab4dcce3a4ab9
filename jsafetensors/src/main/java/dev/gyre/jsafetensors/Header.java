package dev.gyre.jsafetensors;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The front of a file: eight bytes of length, then JSON. Everything it says is checked here against the bytes that are there.
 *
 * @param dataStart offset of the first byte behind it
 */
record Header(Map<String, TensorInfo> tensors, Map<String, String> metadata, long dataStart) {
    /** As the reference reader has it. */
    static final long MAX_LENGTH = 100_000_000;

    static final String METADATA = "__metadata__";

    static Header parse(MemorySegment file, String origin) throws SafeTensorsException {
        if (file.byteSize() < 8)
            throw new SafeTensorsException(origin, "a file has at least 8 bytes, this one " + file.byteSize());
        long length = file.get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
        if (length < 0 || length > MAX_LENGTH)
            throw new SafeTensorsException(
                    origin,
                    "the header's length " + Long.toUnsignedString(length) + " is over the limit of " + MAX_LENGTH);
        if (length > file.byteSize() - 8)
            throw new SafeTensorsException(
                    origin,
                    "the header's length " + length + " reaches beyond the file of " + file.byteSize() + " bytes");
        if (length == 0 || file.get(ValueLayout.JAVA_BYTE, 8) != '{')
            throw new SafeTensorsException(origin, "the header is not JSON: it does not begin with '{'");
        Object json;
        try {
            json = Json.parse(file.asSlice(8, length).asByteBuffer());
        } catch (Json.Malformed e) {
            throw new SafeTensorsException(origin, "the header is not JSON as the format has it: " + e.getMessage());
        }
        Map<String, TensorInfo> tensors = new LinkedHashMap<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) json).entrySet()) {
            String name = (String) entry.getKey();
            if (name.equals(METADATA)) metadata(entry.getValue(), metadata, origin);
            else tensors.put(name, tensor(name, entry.getValue(), origin));
        }
        checkLayout(tensors.values(), file.byteSize() - 8 - length, origin);
        return new Header(tensors, metadata, 8 + length);
    }

    private static void metadata(Object json, Map<String, String> to, String origin) throws SafeTensorsException {
        if (!(json instanceof Map<?, ?> map)) throw new SafeTensorsException(origin, METADATA + " is not an object");
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            if (!(entry.getValue() instanceof String text))
                throw new SafeTensorsException(origin, METADATA + ": \"" + entry.getKey() + "\" is not a string");
            to.put((String) entry.getKey(), text);
        }
    }

    private static TensorInfo tensor(String name, Object json, String origin) throws SafeTensorsException {
        String where = origin + ": tensor \"" + name + "\"";
        if (!(json instanceof Map<?, ?> map)) throw new SafeTensorsException(where, "its entry is not an object");
        for (Object key : map.keySet())
            if (!List.of("dtype", "shape", "data_offsets").contains(key))
                throw new SafeTensorsException(where, "unknown field \"" + key + "\"");
        if (!(map.get("dtype") instanceof String type))
            throw new SafeTensorsException(where, "\"dtype\" is missing or not a string");
        DType dtype =
                DType.named(type).orElseThrow(() -> new SafeTensorsException(where, "unknown dtype \"" + type + "\""));
        List<Long> shape = numbers(map.get("shape"), "shape", where);
        List<Long> offsets = numbers(map.get("data_offsets"), "data_offsets", where);
        if (offsets.size() != 2)
            throw new SafeTensorsException(where, "\"data_offsets\" has two numbers, got " + offsets);
        long begin = offsets.get(0), end = offsets.get(1);
        if (begin > end) throw new SafeTensorsException(where, "its data ends before it begins: " + offsets);
        long bits = dtype.bits();
        try {
            for (long dim : shape) bits = Math.multiplyExact(bits, dim);
        } catch (ArithmeticException e) {
            throw new SafeTensorsException(where, "its shape " + shape + " is too large");
        }
        if (bits % 8 != 0) throw new SafeTensorsException(where, dtype + " " + shape + " does not fill whole bytes");
        if (bits / 8 != end - begin)
            throw new SafeTensorsException(
                    where,
                    dtype + " " + shape + " has " + bits / 8 + " bytes, its offsets " + offsets + " hold "
                            + (end - begin));
        return new TensorInfo(name, dtype, shape, begin, end);
    }

    private static List<Long> numbers(Object json, String field, String where) throws SafeTensorsException {
        if (!(json instanceof List<?> list))
            throw new SafeTensorsException(where, "\"" + field + "\" is missing or not a list");
        List<Long> numbers = new ArrayList<>();
        for (Object item : list) {
            if (!(item instanceof Long number) || number < 0)
                throw new SafeTensorsException(where, "\"" + field + "\" holds something else than a size: " + item);
            numbers.add(number);
        }
        return numbers;
    }

    /** Tensors follow each other without overlap or hole and fill the data to its end. */
    private static void checkLayout(Iterable<TensorInfo> tensors, long dataBytes, String origin)
            throws SafeTensorsException {
        List<TensorInfo> sorted = new ArrayList<>();
        tensors.forEach(sorted::add);
        sorted.sort(Comparator.comparingLong(TensorInfo::begin).thenComparingLong(TensorInfo::end));
        long at = 0;
        String before = "the header";
        for (TensorInfo t : sorted) {
            String name = "tensor \"" + t.name() + "\"";
            if (t.end() > dataBytes)
                throw new SafeTensorsException(
                        origin,
                        name + " ends at byte " + t.end() + " of the data, but the file holds only " + dataBytes);
            if (t.begin() < at) throw new SafeTensorsException(origin, name + " overlaps " + before);
            if (t.begin() > at)
                throw new SafeTensorsException(
                        origin, "there is a hole of " + (t.begin() - at) + " bytes between " + before + " and " + name);
            at = t.end();
            before = name;
        }
        if (at != dataBytes)
            throw new SafeTensorsException(
                    origin, (dataBytes - at) + " bytes behind " + before + " belong to no tensor");
    }
}
