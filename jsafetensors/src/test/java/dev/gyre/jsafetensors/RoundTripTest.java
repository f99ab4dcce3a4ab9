package dev.gyre.jsafetensors;

import static dev.gyre.jsafetensors.Bytes.entry;
import static dev.gyre.jsafetensors.Bytes.file;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What goes in comes out. */
class RoundTripTest {
    @TempDir
    Path folder;

    private static byte[] random(long bytes) {
        byte[] data = new byte[Math.toIntExact(bytes)];
        new Random(bytes).nextBytes(data);
        return data;
    }

    private Path write(SafeTensorsWriter writer) throws IOException {
        Path path = folder.resolve("some.safetensors");
        writer.write(path, (tensor, sink) -> sink.put(MemorySegment.ofArray(random(tensor.bytes()))));
        return path;
    }

    @ParameterizedTest
    @EnumSource
    void everyDtype(StoredType dtype) throws IOException {
        // the odd tensor in front leaves the others at any alignment
        Path path = write(new SafeTensorsWriter()
                .tensor("odd", StoredType.U8, 3)
                .tensor("t", dtype, 4, 3, 2)
                .tensor("last", dtype, 8));
        try (SafeTensors file = SafeTensors.open(path)) {
            assertEquals(List.of("odd", "t", "last"), file.names());
            TensorInfo info = file.info("t");
            long bytes = 24L * dtype.bits() / 8;
            assertEquals(new TensorInfo("t", dtype, List.of(4L, 3L, 2L), 3, 3 + bytes), info);
            assertEquals(24, info.elements());
            assertEquals(bytes, info.bytes());
            if (dtype.readable()) {
                MemorySegment data = file.data("t");
                assertArrayEquals(random(bytes), data.toArray(ValueLayout.JAVA_BYTE));
                assertTrue(data.isReadOnly());
            } else {
                String message = assertThrows(UnsupportedOperationException.class, () -> file.data("t"))
                        .getMessage();
                assertTrue(
                        message.contains(path.toString())
                                && message.contains("\"t\"")
                                && message.contains(dtype.name()),
                        message);
            }
        }
    }

    @Test
    void readableAreTheseSix() {
        assertEquals(
                List.of(StoredType.U8, StoredType.F16, StoredType.BF16, StoredType.I32, StoredType.F32, StoredType.I64),
                List.of(StoredType.values()).stream()
                        .filter(StoredType::readable)
                        .toList());
    }

    @Test
    void scalarsAndEmptyTensors() throws IOException {
        Path path = write(new SafeTensorsWriter()
                .tensor("none before", StoredType.F32, 0)
                .tensor("scalar", StoredType.F32)
                .tensor("none", StoredType.F32, 3, 0, 5)
                .tensor("I", StoredType.I64));
        try (SafeTensors file = SafeTensors.open(path)) {
            assertEquals(List.of(), file.info("scalar").shape());
            assertEquals(1, file.info("scalar").elements());
            assertEquals(1, file.floats("scalar").length);
            assertEquals(List.of(3L, 0L, 5L), file.info("none").shape());
            assertEquals(0, file.info("none").elements());
            assertEquals(0, file.floats("none").length);
            assertEquals(0, file.data("none before").byteSize());
            assertEquals(8, file.data("I").byteSize());
        }
    }

    @Test
    void anEmptyTensorMayBeHugeInItsOtherDimensions() throws IOException {
        try (SafeTensors file = Bytes.open(file("{" + entry("e", "F32", "[0,9223372036854775807,8]", 0, 0) + "}", 0))) {
            assertEquals(0, file.info("e").elements());
        }
    }

    @Test
    void noTensorsAtAll() throws IOException {
        Path path = write(new SafeTensorsWriter());
        assertEquals("{}      ", Files.readString(path).substring(8));
        try (SafeTensors file = SafeTensors.open(path)) {
            assertEquals(List.of(), file.names());
            assertEquals(Map.of(), file.metadata());
        }
    }

    @Test
    void namesAndMetadataOfAnyText() throws IOException {
        String text = "quote \" back\\slash / tab\t line\nfeed nul\0 esc\u001b é ß 水 \u2028 😀 \uffff";
        Path path = write(new SafeTensorsWriter()
                .metadata(text, "value of " + text)
                .metadata("", "")
                .tensor(text, StoredType.U8, 2)
                .tensor("", StoredType.U8, 1));
        try (SafeTensors file = SafeTensors.open(path)) {
            assertEquals(Map.of(text, "value of " + text, "", ""), file.metadata());
            assertEquals(List.of(text, ""), file.names());
            assertEquals(2, file.data(text).byteSize());
        }
    }

    @Test
    void escapesThatOthersWrite() throws IOException {
        String header = "{ \"__metadata__\" : {\"a\\u0041\\/\\b\\f\\n\\r\\t\":\"\\ud83D\\uDE00\\u00e9\"} ,\n\t"
                + entry("x", "U8", " [ 1 , 1 ] ", 0, 1) + " } \r\n ";
        try (SafeTensors file = Bytes.open(file(header, 1))) {
            assertEquals(Map.of("aA/\b\f\n\r\t", "😀é"), file.metadata());
            assertEquals(List.of(1L, 1L), file.info("x").shape());
        }
    }

    @Test
    void fieldsOfOthersArePassedOver() throws IOException {
        String extra = "{\"x\":{\"a\":[1,-2.5e+3,0.1,1E9,true,false,null,\"]}\",{}],\"b\":{\"c\":[[]]}},\"y\":[],";
        String header = "{\"__metadata__\":null,"
                + entry("w", "U8", "[1]", 0, 1).replace("]}", "],\"z\":0}").replace("{", extra) + "}";
        try (SafeTensors file = Bytes.open(file(header, 1))) {
            assertEquals(1, file.data("w").byteSize());
            assertEquals(Map.of(), file.metadata());
        }
    }

    @Test
    void tensorsMayStandInAnyOrder() throws IOException {
        String header = "{" + entry("second", "U8", "[2]", 1, 3) + "," + entry("first", "U8", "[1]", 0, 1) + "}";
        try (SafeTensors file = Bytes.open(file(header, 3))) {
            assertArrayEquals(new byte[] {0}, file.data("first").toArray(ValueLayout.JAVA_BYTE));
            assertArrayEquals(new byte[] {1, 2}, file.data("second").toArray(ValueLayout.JAVA_BYTE));
        }
    }

    @Test
    void floatsAreWidenedExactly() throws IOException {
        ByteBuffer data = ByteBuffer.allocate(28).order(ByteOrder.LITTLE_ENDIAN);
        data.putFloat(1.5f).putFloat(Float.MIN_VALUE).putFloat(Float.NEGATIVE_INFINITY);
        // binary16: 1, smallest subnormal, -65504, infinity
        data.putShort((short) 0x3c00)
                .putShort((short) 1)
                .putShort((short) 0xfbff)
                .putShort((short) 0x7c00);
        // bfloat16: 1, -2, largest, NaN
        data.putShort((short) 0x3f80)
                .putShort((short) 0xc000)
                .putShort((short) 0x7f7f)
                .putShort((short) 0x7fc0);
        Path path = folder.resolve("floats.safetensors");
        new SafeTensorsWriter()
                .tensor("f32", StoredType.F32, 3)
                .tensor("f16", StoredType.F16, 4)
                .tensor("bf16", StoredType.BF16, 4)
                .tensor("i32", StoredType.I32, 0)
                .write(
                        path,
                        (t, sink) ->
                                sink.put(MemorySegment.ofArray(data.array()).asSlice(t.begin(), t.bytes())));
        try (SafeTensors file = SafeTensors.open(path)) {
            assertArrayEquals(new float[] {1.5f, Float.MIN_VALUE, Float.NEGATIVE_INFINITY}, file.floats("f32"));
            assertArrayEquals(new float[] {1, 0x1p-24f, -65504, Float.POSITIVE_INFINITY}, file.floats("f16"));
            assertArrayEquals(new float[] {1, -2, 0x1.fep127f, Float.NaN}, file.floats("bf16"));
            String message = assertThrows(UnsupportedOperationException.class, () -> file.floats("i32"))
                    .getMessage();
            assertTrue(message.contains("\"i32\"") && message.contains("I32"), message);
        }
    }

    @Test
    void aFileBeyondTwoGibibytes() throws IOException {
        long far = 3L << 30;
        byte[] header = ("{" + entry("big", "U8", "[" + far + "]", 0, far) + ","
                        + entry("end", "F32", "[2]", far, far + 8) + "}")
                .getBytes(StandardCharsets.UTF_8);
        Path path = folder.resolve("big.safetensors");
        try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) {
            sparse.write(file(header, 0));
            sparse.setLength(8 + header.length + far + 8);
            sparse.seek(8 + header.length + far - 1);
            sparse.write(77);
            sparse.write(ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putFloat(1.25f)
                    .putFloat(-8)
                    .array());
        }
        try (SafeTensors file = SafeTensors.open(path)) {
            assertEquals(Files.size(path), file.size());
            assertArrayEquals(new float[] {1.25f, -8}, file.floats("end"));
            assertEquals(far, file.data("big").byteSize());
            assertEquals(77, file.data("big").get(ValueLayout.JAVA_BYTE, far - 1));
            assertThrows(UnsupportedOperationException.class, () -> file.floats("big"));
        }
    }

    @Test
    void floatsTooManyForAnArray() throws IOException {
        long elements = 1L << 31;
        byte[] header = ("{" + entry("wide", "F16", "[" + elements + "]", 0, 2 * elements) + "}")
                .getBytes(StandardCharsets.UTF_8);
        Path path = folder.resolve("wide.safetensors");
        try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) {
            sparse.write(file(header, 0));
            sparse.setLength(8 + header.length + 2 * elements);
        }
        try (SafeTensors file = SafeTensors.open(path)) {
            String message = assertThrows(UnsupportedOperationException.class, () -> file.floats("wide"))
                    .getMessage();
            assertTrue(message.contains("\"wide\"") && message.contains("2147483648"), message);
        }
    }

    @Test
    void streamsAndMemory() throws IOException {
        byte[] bytes = file("{" + entry("w", "U8", "[3]", 0, 3) + "}", 3);
        try (SafeTensors file = SafeTensors.read(new ByteArrayInputStream(bytes), "in a jar")) {
            assertArrayEquals(new byte[] {0, 1, 2}, file.data("w").toArray(ValueLayout.JAVA_BYTE));
            assertEquals(bytes.length, file.size());
            String message =
                    assertThrows(IllegalStateException.class, file::path).getMessage();
            assertTrue(message.contains("in a jar"), message);
        }
        SafeTensors memory = Bytes.open(bytes);
        MemorySegment data = memory.data("w");
        assertTrue(data.isReadOnly());
        memory.close();
        assertEquals(2, data.get(ValueLayout.JAVA_BYTE, 2));
    }

    @Test
    void closingUnmapsAndMayBeRepeated() throws IOException {
        Path path = write(new SafeTensorsWriter().tensor("w", StoredType.U8, 3));
        SafeTensors file = SafeTensors.open(path);
        assertEquals(path, file.path());
        MemorySegment data = file.data("w");
        file.close();
        file.close();
        assertFalse(data.scope().isAlive());
        assertThrows(IllegalStateException.class, () -> data.get(ValueLayout.JAVA_BYTE, 0));
        String message =
                assertThrows(IllegalStateException.class, () -> file.data("w")).getMessage();
        assertTrue(message.contains(path.toString()) && message.contains("closed"), message);
    }

    @Test
    void whatIsNotThere() throws IOException {
        Path path = write(new SafeTensorsWriter().tensor("w", StoredType.U8, 3));
        try (SafeTensors file = SafeTensors.open(path)) {
            assertTrue(file.has("w"));
            assertFalse(file.has("v"));
            for (String message : List.of(
                    assertThrows(NoSuchElementException.class, () -> file.info("v"))
                            .getMessage(),
                    assertThrows(NoSuchElementException.class, () -> file.data("v"))
                            .getMessage(),
                    assertThrows(NoSuchElementException.class, () -> file.floats("v"))
                            .getMessage()))
                assertTrue(message.contains(path.toString()) && message.contains("\"v\""), message);
        }
        Path missing = folder.resolve("missing.safetensors");
        String message = assertThrows(NoSuchFileException.class, () -> SafeTensors.open(missing))
                .getMessage();
        assertTrue(message.contains(missing.toString()) && message.contains("no such file"), message);
        message = assertThrows(SafeTensorsException.class, () -> SafeTensors.open(folder))
                .getMessage();
        assertTrue(message.contains(folder.toString()) && message.contains("folder"), message);
    }
}
