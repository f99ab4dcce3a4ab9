package dev.gyre.experiments;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gyre.arrow.ArrowFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RowLogTest {
    private static final Schema SCHEMA =
            new Schema(List.of(Field.nullable("row", new ArrowType.Int(64, true))), Map.of("key", "value"));

    @TempDir
    Path folder;

    private final BufferAllocator allocator = new RootAllocator();

    @AfterEach
    void nothingLeaks() {
        allocator.close();
    }

    private void append(RowLog log, long value) throws IOException {
        try (VectorSchemaRoot table = VectorSchemaRoot.create(SCHEMA, allocator)) {
            ((BigIntVector) table.getVector("row")).setSafe(0, value);
            table.setRowCount(1);
            log.append(table);
        }
    }

    private List<Long> read(Path path) throws IOException {
        List<Long> values = new ArrayList<>();
        try (ArrowReader reader = ArrowFiles.open(path, allocator)) {
            assertEquals(SCHEMA, reader.getVectorSchemaRoot().getSchema());
            while (reader.loadNextBatch())
                values.add((Long) reader.getVectorSchemaRoot().getVector("row").getObject(0));
        }
        return values;
    }

    /** Three rows, and where each message ends. */
    private List<Long> three(Path path) throws IOException {
        List<Long> ends = new ArrayList<>();
        try (RowLog log = RowLog.open(path, SCHEMA)) {
            ends.add(Files.size(path));
            for (long row = 0; row < 3; row++) {
                append(log, row);
                ends.add(Files.size(path));
            }
        }
        return ends;
    }

    @Test
    void whereverItWasCutItGoesOnBehindTheLastWholeRow() throws IOException {
        Path path = folder.resolve("x.part");
        List<Long> ends = three(path);
        byte[] whole = Files.readAllBytes(path);
        assertEquals(List.of(0L, 1L, 2L), read(path));
        for (int cut = 0; cut <= whole.length; cut++) {
            Files.write(path, Arrays.copyOf(whole, cut));
            int at = cut;
            long kept = Math.max(0, ends.stream().filter(end -> end <= at).count() - 1);
            try (RowLog log = RowLog.open(path, SCHEMA)) {
                assertEquals(kept, log.rows(), "cut at " + cut);
                for (long row = kept; row < 3; row++) append(log, row);
            }
            assertArrayEquals(whole, Files.readAllBytes(path), "cut at " + cut);
        }
    }

    @Test
    void aTailOfZerosOrOfNonsenseIsCutOff() throws IOException {
        Path path = folder.resolve("x.part");
        three(path);
        byte[] whole = Files.readAllBytes(path);
        byte[] nonsense = Arrays.copyOf(whole, whole.length + 200);
        Arrays.fill(nonsense, whole.length, nonsense.length, (byte) 0x5A);
        byte[] begun = Arrays.copyOf(whole, whole.length + 200); // a prefix, and zeros behind it
        for (int i = 0; i < 4; i++) begun[whole.length + i] = -1;
        begun[whole.length + 4] = 64;
        for (byte[] tail : List.of(Arrays.copyOf(whole, whole.length + 200), nonsense, begun)) {
            Files.write(path, tail);
            try (RowLog log = RowLog.open(path, SCHEMA)) {
                assertEquals(3, log.rows());
                append(log, 3);
            }
            assertEquals(List.of(0L, 1L, 2L, 3L), read(path));
        }
    }

    @Test
    void onlyOneHasItOpen() throws IOException {
        Path path = folder.resolve("x.part");
        try (RowLog first = RowLog.open(path, SCHEMA)) {
            append(first, 0);
            assertEquals(
                    path + ": another sweep is writing it",
                    assertThrows(IOException.class, () -> RowLog.open(path, SCHEMA))
                            .getMessage());
        }
        assertEquals(List.of(0L), read(path));
    }
}
