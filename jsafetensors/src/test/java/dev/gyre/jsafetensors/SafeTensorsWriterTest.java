package dev.gyre.jsafetensors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafeTensorsWriterTest {
    private static final SafeTensorsWriter.Source ZEROS =
            (tensor, sink) -> sink.put(MemorySegment.ofArray(new byte[Math.toIntExact(tensor.bytes())]));

    @TempDir
    Path folder;

    private Path target() {
        return folder.resolve("out.safetensors");
    }

    private List<Path> leftInFolder() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    @Test
    void theBytesAreTheFormats() throws IOException {
        new SafeTensorsWriter()
                .metadata("k", "v")
                .tensor("a", StoredType.U8, 2)
                .tensor("b", StoredType.I32)
                .write(target(), (tensor, sink) -> {
                    for (long i = 0; i < tensor.bytes(); i++) // in pieces of one byte
                    sink.put(MemorySegment.ofArray(new byte[] {(byte) (10 * tensor.begin() + i)}));
                });
        String json = "{\"__metadata__\":{\"k\":\"v\"},\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
                + "\"b\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[2,6]}}";
        String padded = json + " ".repeat((8 - json.length() % 8) % 8);
        ByteBuffer expected = ByteBuffer.allocate(8 + padded.length() + 6).order(ByteOrder.LITTLE_ENDIAN);
        expected.putLong(padded.length())
                .put(padded.getBytes(StandardCharsets.UTF_8))
                .put(new byte[] {0, 1, 20, 21, 22, 23});
        assertArrayEquals(expected.array(), Files.readAllBytes(target()));
    }

    @Test
    void dataBeginsAtAMultipleOfEight() throws IOException {
        for (int length = 1; length <= 16; length++) {
            new SafeTensorsWriter().tensor("n".repeat(length), StoredType.U8, 1).write(target(), ZEROS);
            assertEquals(1, Files.size(target()) % 8, "a name of " + length);
        }
    }

    @Test
    void piecesOfAnyKindOfMemory() throws IOException {
        float[] values = new float[100_000]; // several buffers long
        for (int i = 0; i < values.length; i++) values[i] = i;
        new SafeTensorsWriter()
                .tensor("f", StoredType.F32, values.length)
                .write(target(), (tensor, sink) -> sink.put(MemorySegment.ofArray(values)));
        try (SafeTensors file = SafeTensors.open(target())) {
            assertArrayEquals(values, file.floats("f"));
            // a mapping may be written over the very file it comes from
            new SafeTensorsWriter()
                    .tensor("f", StoredType.F32, values.length)
                    .write(target(), (tensor, sink) -> sink.put(file.data("f")));
        }
        try (SafeTensors file = SafeTensors.open(target())) {
            assertArrayEquals(values, file.floats("f"));
        }
    }

    private void failsAndLeavesNothing(
            Class<? extends Throwable> kind, SafeTensorsWriter.Source source, String... words) throws IOException {
        SafeTensorsWriter writer =
                new SafeTensorsWriter().tensor("a", StoredType.U8, 4).tensor("b", StoredType.U8, 4);
        for (boolean oldFile : new boolean[] {false, true}) {
            Files.deleteIfExists(target());
            if (oldFile) Files.writeString(target(), "old");
            String message =
                    assertThrows(kind, () -> writer.write(target(), source)).getMessage();
            for (String word : words) assertTrue(message.contains(word), message + " should say " + word);
            assertEquals(oldFile ? List.of(target()) : List.of(), leftInFolder());
            if (oldFile) assertEquals("old", Files.readString(target()));
        }
    }

    @Test
    void failingSource() throws IOException {
        failsAndLeavesNothing(
                IOException.class,
                (tensor, sink) -> {
                    sink.put(MemorySegment.ofArray(new byte[4]));
                    if (tensor.name().equals("b")) throw new IOException("disk on fire");
                },
                "disk on fire");
        failsAndLeavesNothing(
                AssertionError.class,
                (tensor, sink) -> {
                    throw new AssertionError("even an Error");
                },
                "even an Error");
    }

    @Test
    void tooFewBytes() throws IOException {
        failsAndLeavesNothing(
                SafeTensorsException.class,
                (tensor, sink) ->
                        sink.put(MemorySegment.ofArray(new byte[tensor.name().equals("b") ? 3 : 4])),
                target().toString(),
                "tensor \"b\"",
                "4 bytes, got 3");
    }

    @Test
    void tooManyBytes() throws IOException {
        failsAndLeavesNothing(
                SafeTensorsException.class,
                (tensor, sink) -> {
                    sink.put(MemorySegment.ofArray(new byte[4]));
                    sink.put(MemorySegment.ofArray(new byte[1]));
                },
                target().toString(),
                "tensor \"a\"",
                "4 bytes, got 5");
    }

    @Test
    void aSinkThatIsKeptTooLong() throws IOException {
        SafeTensorsWriter.Sink[] kept = new SafeTensorsWriter.Sink[1];
        failsAndLeavesNothing(
                IllegalStateException.class,
                (tensor, sink) -> {
                    if (kept[0] == null) kept[0] = sink;
                    if (tensor.name().equals("b")) kept[0].put(MemorySegment.ofArray(new byte[0]));
                    else sink.put(MemorySegment.ofArray(new byte[4]));
                },
                "\"a\"");
    }

    @Test
    void othersMayReadTheFileAsAnyNewFile() throws IOException {
        new SafeTensorsWriter().tensor("a", StoredType.U8, 4).write(target(), ZEROS);
        Path usual = Files.createFile(folder.resolve("usual"));
        if (Files.getFileStore(folder).supportsFileAttributeView("posix"))
            assertEquals(Files.getPosixFilePermissions(usual), Files.getPosixFilePermissions(target()));
        assertTrue(Files.isReadable(target()));
    }

    @Test
    void placesThatCannotBeWritten() throws IOException {
        SafeTensorsWriter writer = new SafeTensorsWriter().tensor("a", StoredType.U8, 4);
        Path nowhere = folder.resolve("none/out.safetensors");
        String message = assertThrows(NoSuchFileException.class, () -> writer.write(nowhere, ZEROS))
                .getMessage();
        assertTrue(message.contains(nowhere.toString()) && message.contains("does not exist"), message);
        message = assertThrows(SafeTensorsException.class, () -> writer.write(folder, ZEROS))
                .getMessage();
        assertTrue(message.contains(folder.toString()) && message.contains("folder"), message);
        assertEquals(List.of(), leftInFolder());
    }

    @Test
    void declarationsThatCannotBe() {
        SafeTensorsWriter writer =
                new SafeTensorsWriter().tensor("a", StoredType.U8, 4).metadata("k", "v");
        refused("\"a\" is declared twice", () -> writer.tensor("a", StoredType.U8, 4));
        refused("\"k\" is given twice", () -> writer.metadata("k", "w"));
        refused("__metadata__", () -> writer.tensor("__metadata__", StoredType.U8, 4));
        refused("\"n\" has a negative dimension: [2, -1]", () -> writer.tensor("n", StoredType.U8, 2, -1));
        refused(
                "\"n\" of type F32 has a shape whose size overflows",
                () -> writer.tensor("n", StoredType.F32, 1L << 40, 1L << 40));
        refused("\"n\" of type F4 and shape [3] does not fill whole bytes", () -> writer.tensor("n", StoredType.F4, 3));
        refused("\"n\" has more than 64 dimensions", () -> writer.tensor("n", StoredType.U8, new long[65]));
        refused("surrogate", () -> writer.tensor("n\ud800", StoredType.U8, 1));
        refused("surrogate", () -> writer.metadata("m", "\udc00"));
        long most = Long.MAX_VALUE / 8;
        SafeTensorsWriter full = new SafeTensorsWriter();
        for (int i = 0; i < 8; i++) full.tensor("t" + i, StoredType.U8, most);
        refused("\"n\" ends beyond", () -> full.tensor("n", StoredType.U8, most));
    }

    private static void refused(String words, Runnable declaration) {
        String message =
                assertThrows(IllegalArgumentException.class, declaration::run).getMessage();
        assertTrue(message.contains(words), message + " should say " + words);
    }

    @Test
    void aHeaderOverTheLimit() throws IOException {
        SafeTensorsWriter writer = new SafeTensorsWriter().metadata("k", "v".repeat((int) Header.MAX_LENGTH));
        String message = assertThrows(SafeTensorsException.class, () -> writer.write(target(), ZEROS))
                .getMessage();
        assertTrue(message.contains(target().toString()) && message.contains("over the limit"), message);
        assertEquals(List.of(), leftInFolder());
    }
}
