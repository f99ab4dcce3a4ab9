package dev.gyre.jsafetensors;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

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
        if (file.byteSize() == 0)
            throw new SafeTensorsException(origin, "the file is empty; a safetensors file has at least 8 bytes");
        if (file.byteSize() < 8)
            throw foreign(file, origin, "it would have at least 8 bytes, this has " + file.byteSize());
        long length = file.get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
        if (length < 0 || length > MAX_LENGTH)
            throw foreign(
                    file,
                    origin,
                    "the header's length " + Long.toUnsignedString(length) + " is over the limit of " + MAX_LENGTH);
        if (length > file.byteSize() - 8)
            throw foreign(
                    file,
                    origin,
                    "or cut off: the header's length " + length + " reaches beyond the file of " + file.byteSize()
                            + " bytes");
        if (!isObject(file.asSlice(8, length)))
            throw foreign(file, origin, "the header is not JSON: it does not begin with '{'");
        Json json = new Json(file.asSlice(8, length), origin, "header");
        Map<String, TensorInfo> tensors = new LinkedHashMap<>();
        Map<String, String> metadata = null;
        json.open('{');
        while (json.next('}')) {
            json.about("header");
            String name = json.key();
            if (name.equals(METADATA)) {
                if (metadata != null) throw json.fail("has " + METADATA + " twice");
                metadata = metadata(json);
            } else if (tensors.put(name, tensor(name, json, origin)) != null) {
                throw json.fail("stands twice in the header");
            }
        }
        json.about("header");
        json.finish();
        checkLayout(tensors.values(), file.byteSize() - 8 - length, origin);
        return new Header(tensors, metadata == null ? Map.of() : metadata, 8 + length);
    }

    /** Whether this is JSON that begins with an object, behind the white space that the reference reader passes over, too. */
    private static boolean isObject(MemorySegment json) {
        long at = 0;
        while (at < json.byteSize() && " \t\n\r".indexOf(json.get(ValueLayout.JAVA_BYTE, at)) >= 0) at++;
        return at < json.byteSize() && json.get(ValueLayout.JAVA_BYTE, at) == '{';
    }

    /** Says what the file is instead, or else what speaks against it. */
    private static SafeTensorsException foreign(MemorySegment file, String origin, String otherwise) {
        return new SafeTensorsException(
                origin,
                "no safetensors file: "
                        + ForeignFile.describe(file)
                                .map(kind -> "it is " + kind)
                                .orElse(otherwise));
    }

    private static Map<String, String> metadata(Json json) throws SafeTensorsException {
        Map<String, String> metadata = new LinkedHashMap<>();
        json.about("header's " + METADATA);
        if (json.tryNull()) return metadata;
        json.open('{');
        while (json.next('}')) {
            String key = json.key();
            if (metadata.put(key, json.string()) != null)
                throw json.fail("has the key " + SafeTensorsException.quote(key) + " twice");
        }
        return metadata;
    }

    /** Fields that the format does not define are passed over, as the reference reader does. */
    private static TensorInfo tensor(String name, Json json, String origin) throws SafeTensorsException {
        json.about("tensor " + SafeTensorsException.quote(name));
        Set<String> fields = new HashSet<>();
        String type = null;
        List<Long> shape = null;
        List<Long> offsets = null;
        json.open('{');
        while (json.next('}')) {
            String field = json.key();
            if (!fields.add(field)) throw json.fail("has the field " + SafeTensorsException.quote(field) + " twice");
            switch (field) {
                case "dtype" -> type = json.string();
                case "shape" -> shape = numbers(json, field, TensorInfo.MAX_RANK);
                case "data_offsets" -> offsets = numbers(json, field, 2);
                default -> json.skip();
            }
        }
        if (type == null || shape == null || offsets == null)
            throw json.fail("has no \"" + (type == null ? "dtype" : shape == null ? "shape" : "data_offsets") + "\"");
        StoredType dtype = StoredType.named(type).orElse(null);
        if (dtype == null) throw json.fail("has the unknown dtype " + SafeTensorsException.quote(type));
        if (offsets.size() != 2) throw json.fail("has data_offsets " + offsets + ", expected two numbers");
        long begin = offsets.get(0);
        long end = offsets.get(1);
        if (begin < 0) throw json.fail("has negative data_offsets: " + offsets);
        if (begin > end) throw json.fail("ends before it begins: data_offsets " + offsets);
        long bytes;
        try {
            bytes = TensorInfo.bytes(dtype, shape);
        } catch (IllegalArgumentException e) {
            throw json.fail(e.getMessage());
        }
        if (bytes != end - begin)
            throw json.fail("of type " + dtype + " and shape " + shape + " takes " + bytes + " bytes, its data_offsets "
                    + offsets + " hold " + (end - begin));
        return new TensorInfo(name, dtype, shape, begin, end);
    }

    private static List<Long> numbers(Json json, String field, int most) throws SafeTensorsException {
        List<Long> numbers = new ArrayList<>();
        json.open('[');
        while (json.next(']')) {
            if (numbers.size() == most) throw json.fail("has more than " + most + " numbers in its " + field);
            numbers.add(json.integer());
        }
        return numbers;
    }

    /** Tensors follow each other without overlap or hole and fill the data to its end. */
    private static void checkLayout(Iterable<TensorInfo> tensors, long dataBytes, String origin)
            throws SafeTensorsException {
        List<TensorInfo> sorted = new ArrayList<>();
        tensors.forEach(sorted::add);
        sorted.sort(Comparator.comparingLong(TensorInfo::begin).thenComparingLong(TensorInfo::end));
        long described = sorted.stream().mapToLong(TensorInfo::end).max().orElse(0);
        long at = 0;
        String before = "the header";
        for (TensorInfo t : sorted) {
            String name = "tensor " + SafeTensorsException.quote(t.name());
            if (t.end() > dataBytes)
                throw new SafeTensorsException(
                        origin,
                        name + " ends at byte " + t.end() + " of the data, but the file holds only " + dataBytes
                                + ": cut off, " + (described - dataBytes) + " bytes are missing");
            if (t.begin() < at)
                throw new SafeTensorsException(
                        origin, name + " at " + t.begin() + " overlaps " + before + ", which ends at " + at);
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
