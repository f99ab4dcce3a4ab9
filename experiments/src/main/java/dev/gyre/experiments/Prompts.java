package dev.gyre.experiments;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gyre.arrow.ArrowFiles;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowReader;

/**
 * The prompts of a sweep: a table with a column {@code prompt}, and others.
 *
 * @param name the file's
 * @param folder against which paths of references are resolved
 * @param rows a value for each column, as text, or bytes for a picture; nulls are left out
 */
public record Prompts(String name, Path folder, List<Map<String, Object>> rows) {
    /** Takes a copy. */
    public Prompts {
        rows = List.copyOf(rows);
    }

    /**
     * Reads a file: {@code .csv} with a line of names (RFC 4180), {@code .jsonl} with an object a line, or {@code .arrow}.
     *
     * @throws IOException when it cannot be read, is none of these, or has no rows
     */
    public static Prompts read(Path path) throws IOException {
        if (Files.notExists(path)) throw new NoSuchFileException(path.toString(), null, "there is no such file");
        String name = path.getFileName().toString();
        List<Map<String, Object>> rows;
        try {
            if (name.endsWith(".csv")) rows = csv(Files.readString(path));
            else if (name.endsWith(".jsonl")) rows = json(Files.readAllLines(path));
            else if (name.endsWith(".arrow")) rows = arrow(path);
            else throw new IOException("prompts are read from .csv, .jsonl or .arrow");
        } catch (CharacterCodingException e) {
            throw new IOException(path + ": UTF-8 is expected", e);
        } catch (IOException | IllegalArgumentException e) {
            String message = e.getMessage();
            throw message.startsWith(path + ":") && e instanceof IOException io
                    ? io
                    : new IOException(path + ": " + message, e);
        }
        if (rows.isEmpty()) throw new IOException(path + ": there are no prompts in it");
        return new Prompts(name, path.toAbsolutePath().getParent(), rows);
    }

    private static List<Map<String, Object>> csv(String text) {
        List<List<String>> lines = Csv.parse(text);
        if (lines.isEmpty()) return List.of();
        List<String> names = lines.getFirst();
        List<Map<String, Object>> rows = new ArrayList<>();
        for (int i = 1; i < lines.size(); i++) {
            List<String> line = lines.get(i);
            if (line.size() != names.size())
                throw new IllegalArgumentException(
                        "row " + i + " has " + line.size() + " fields, the first line has " + names.size());
            Map<String, Object> row = new LinkedHashMap<>();
            for (int c = 0; c < names.size(); c++)
                // An empty field counts as absent, except for texts.
                if (!line.get(c).isEmpty() || names.get(c).equals("prompt")) row.put(names.get(c), line.get(c));
            rows.add(row);
        }
        return rows;
    }

    private static List<Map<String, Object>> json(List<String> lines) {
        ObjectMapper mapper = new ObjectMapper();
        List<Map<String, Object>> rows = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).isBlank()) continue;
            Map<String, Object> row = new LinkedHashMap<>();
            try {
                JsonNode node = mapper.readTree(lines.get(i));
                if (!node.isObject())
                    throw new IllegalArgumentException("line " + (i + 1) + ": an object is expected, got "
                            + node.getNodeType().toString().toLowerCase());
                for (Map.Entry<String, JsonNode> field : node.properties())
                    if (!field.getValue().isNull())
                        row.put(
                                field.getKey(),
                                field.getValue().isValueNode()
                                        ? field.getValue().asText()
                                        : field.getValue().toString());
            } catch (JsonProcessingException e) {
                throw new IllegalArgumentException("line " + (i + 1) + ": no JSON: " + e.getOriginalMessage(), e);
            }
            rows.add(row);
        }
        return rows;
    }

    private static List<Map<String, Object>> arrow(Path path) throws IOException {
        List<Map<String, Object>> rows = new ArrayList<>();
        try (BufferAllocator allocator = new RootAllocator();
                ArrowReader reader = ArrowFiles.open(path, allocator)) {
            VectorSchemaRoot table = reader.getVectorSchemaRoot();
            while (reader.loadNextBatch())
                for (int i = 0; i < table.getRowCount(); i++) {
                    Map<String, Object> row = new LinkedHashMap<>();
                    for (FieldVector column : table.getFieldVectors()) {
                        Object value = column.getObject(i);
                        if (value != null)
                            row.put(column.getName(), value instanceof byte[] bytes ? bytes : value.toString());
                    }
                    rows.add(row);
                }
        }
        return rows;
    }

    /** All columns, in the order they come up. */
    Set<String> columns() {
        Set<String> names = new LinkedHashSet<>();
        rows.forEach(row -> names.addAll(row.keySet()));
        return names;
    }
}
