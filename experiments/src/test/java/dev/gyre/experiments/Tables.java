package dev.gyre.experiments;

import dev.gyre.arrow.ArrowFiles;
import dev.gyre.core.Tensor;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowReader;

/** Tables for tests: prompts to write, results to compare. */
final class Tables {
    private Tables() {}

    static Plan plan(Path folder, String csv, String grid) throws IOException {
        Path file = folder.resolve("prompts.csv");
        Files.writeString(file, csv);
        return new Plan(Prompts.read(file), Grid.parse(grid));
    }

    /** All rows but the seconds; bytes and tensors as hex digits. The allocator throws where anything is not given back. */
    static List<Map<String, Object>> rows(Path file) throws IOException {
        List<Map<String, Object>> rows = new ArrayList<>();
        try (BufferAllocator allocator = new RootAllocator();
                ArrowReader reader = ArrowFiles.open(file, allocator)) {
            VectorSchemaRoot table = reader.getVectorSchemaRoot();
            while (reader.loadNextBatch())
                for (int i = 0; i < table.getRowCount(); i++) {
                    Map<String, Object> row = new LinkedHashMap<>();
                    for (FieldVector column : table.getFieldVectors())
                        if (!column.getName().endsWith("_seconds"))
                            row.put(column.getName(), plain(column.getObject(i)));
                    rows.add(row);
                }
        }
        return rows;
    }

    private static Object plain(Object value) {
        return switch (value) {
            case null -> "null";
            case byte[] bytes -> HexFormat.of().formatHex(bytes);
            case Tensor tensor ->
                tensor.shape() + HexFormat.of().formatHex(tensor.data().toArray(ValueLayout.JAVA_BYTE));
            default -> value.toString();
        };
    }

    /** The number of rows; each has the number that it should have, and a picture or an error. */
    static long count(Path file) throws IOException {
        long rows = 0;
        try (BufferAllocator allocator = new RootAllocator();
                ArrowReader reader = ArrowFiles.open(file, allocator)) {
            VectorSchemaRoot table = reader.getVectorSchemaRoot();
            while (reader.loadNextBatch())
                for (int i = 0; i < table.getRowCount(); i++, rows++)
                    if (!table.getVector("row").getObject(i).equals(rows)
                            || table.getVector("png").isNull(i)
                                    == table.getVector("error").isNull(i))
                        throw new AssertionError(
                                "row " + rows + " is " + table.getVector("row").getObject(i));
        }
        return rows;
    }

    static Map<String, String> manifest(Path file) throws IOException {
        try (BufferAllocator allocator = new RootAllocator();
                ArrowReader reader = ArrowFiles.open(file, allocator)) {
            return reader.getVectorSchemaRoot().getSchema().getCustomMetadata();
        }
    }
}
