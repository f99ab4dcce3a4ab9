package dev.gyre.core.profile;

import dev.gyre.core.Graph;
import dev.gyre.core.Op;
import dev.gyre.core.Profiler;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;

/**
 * Writes a timeline in Chrome's trace event format: open the file in {@code ui.perfetto.dev} or
 * {@code chrome://tracing}. Ops, graphs and other spans have a track each. Events are streamed to a temporary file
 * beside {@code path}, which {@link #close()} moves into place.
 */
public final class Trace implements Profiler, AutoCloseable {
    private final Path path;
    private final Path beside;
    private final Writer out;
    private final Map<String, Integer> tracks = new LinkedHashMap<>();
    private final long began = System.nanoTime();

    private Trace(Path path, Path beside) throws IOException {
        this.path = path;
        this.beside = beside;
        out = Files.newBufferedWriter(beside);
        out.write("{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n");
        out.write("{\"ph\": \"M\", \"pid\": 1, \"name\": \"process_name\", \"args\": {\"name\": \"Gyre\"}}");
    }

    /**
     * Begins a trace.
     *
     * @throws IOException when the file cannot be created
     */
    public static Trace to(Path path) throws IOException {
        Path folder = path.toAbsolutePath().getParent();
        if (!Files.isDirectory(folder)) throw new IOException(path + ": there is no folder " + folder);
        return new Trace(path, folder.resolve("." + path.getFileName() + "." + UUID.randomUUID() + ".part"));
    }

    @Override
    public void ran(Op op, long start, long nanos) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("value", op.output().name());
        details.put("shape", op.output().shape().toString());
        details.put("bytes", op.bytes());
        if (op.flops() > 0) {
            details.put("flops", op.flops());
            details.put("GFLOP/s", (double) op.flops() / Math.max(1, nanos));
        }
        span("ops", op.getClass().getSimpleName(), start, nanos, details);
    }

    @Override
    public void ran(Graph graph, long start, long nanos) {
        span("graphs", graph.title(), start, nanos, Map.of("ops", graph.ops().size()));
    }

    /**
     * Adds a span.
     *
     * @param track the track's name
     * @param start by {@link System#nanoTime}
     * @param details numbers and texts
     * @throws UncheckedIOException when it cannot be written
     */
    public synchronized void span(String track, String name, long start, long nanos, Map<String, ?> details) {
        StringBuilder line = new StringBuilder();
        int number = tracks.computeIfAbsent(track, unknown -> {
            int next = tracks.size() + 1;
            line.append(",\n{\"ph\": \"M\", \"pid\": 1, \"tid\": ")
                    .append(next)
                    .append(", \"name\": \"thread_name\", \"args\": {\"name\": ")
                    .append(quoted(track))
                    .append("}}");
            return next;
        });
        line.append(",\n{\"ph\": \"X\", \"pid\": 1, \"tid\": ")
                .append(number)
                .append(", \"name\": ")
                .append(quoted(name))
                .append(", \"ts\": ")
                .append((start - began) / 1e3)
                .append(", \"dur\": ")
                .append(nanos / 1e3)
                .append(", \"args\": {");
        String comma = "";
        for (Map.Entry<String, ?> detail : details.entrySet()) {
            Object value = detail.getValue();
            line.append(comma)
                    .append(quoted(detail.getKey()))
                    .append(": ")
                    .append(value instanceof Number ? value : quoted(String.valueOf(value)));
            comma = ", ";
        }
        try {
            out.append(line.append("}}"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray())
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c < ' ') out.append(String.format("\\u%04x", (int) c));
            else out.append(c);
        return out.append('"').toString();
    }

    /** Ends the trace and moves it to its path. */
    @Override
    public synchronized void close() throws IOException {
        try (out) {
            out.write("\n]}\n");
        } catch (IOException e) {
            Files.deleteIfExists(beside);
            throw e;
        }
        Files.move(beside, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
