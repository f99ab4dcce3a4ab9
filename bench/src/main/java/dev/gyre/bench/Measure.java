package dev.gyre.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;

/**
 * A figure of a benchmark.
 *
 * @param what the benchmark and its parameters
 * @param noise by how much it may be off; empty where it was measured once
 * @param better 1 where more is faster, −1 where less is, 0 where it says nothing of speed
 */
record Measure(String what, double value, Optional<Double> noise, String unit, int better) {
    /** Columns of {@code gyre bench} that are figures: unit, and the column of their standard deviation. */
    private record Column(String unit, int better, String deviation) {}

    private static final Map<String, Column> COLUMNS = Map.of(
            "load s", new Column("s", -1, ""),
            "text s", new Column("s", -1, ""),
            "first step s", new Column("s", -1, ""),
            "s/step", new Column("s", -1, "±"),
            "decode s", new Column("s", -1, "decode ±"),
            "GFLOP/s", new Column("GFLOP/s", 1, ""),
            "planned MiB", new Column("MiB", 0, ""),
            "packed MiB", new Column("MiB", 0, ""),
            "resident MiB", new Column("MiB", 0, ""));

    /**
     * Reads what {@code gyre bench --output json} or JMH's {@code -rf json} wrote.
     *
     * @throws IOException when it cannot be read, or is neither
     */
    static List<Measure> read(Path file) throws IOException {
        JsonNode rows;
        try {
            rows = new ObjectMapper().readTree(file.toFile());
        } catch (JsonProcessingException e) {
            throw new IOException(file + ": not JSON: " + e.getOriginalMessage(), e);
        }
        if (rows == null || !rows.isArray())
            throw new IOException(file + ": results of gyre bench --output json or of JMH's -rf json are expected");
        List<Measure> all = new ArrayList<>();
        for (JsonNode row : rows) {
            int before = all.size();
            if (row.has("primaryMetric")) all.add(jmh(row));
            else gyre(row, all);
            if (all.size() == before)
                throw new IOException(file + ": an entry has no figure that JMH or gyre bench writes: " + row);
        }
        return all;
    }

    /** JMH's error is half of the 99.9 % confidence interval; NaN, as text, where there was one iteration. */
    private static Measure jmh(JsonNode row) {
        StringJoiner what = new StringJoiner(" ").add(row.path("benchmark").asText());
        row.path("params")
                .properties()
                .forEach(p -> what.add(p.getKey() + "=" + p.getValue().asText()));
        what.add("threads=" + row.path("threads").asText()).add(row.path("mode").asText());
        JsonNode metric = row.get("primaryMetric"), error = metric.path("scoreError");
        boolean throughput = row.path("mode").asText().equals("thrpt");
        return new Measure(
                what.toString(),
                metric.path("score").asDouble(),
                error.isNumber() ? Optional.of(error.asDouble()) : Optional.empty(),
                metric.path("scoreUnit").asText(),
                throughput ? 1 : -1);
    }

    /** Two standard deviations of single steps are taken as the noise of their median. */
    private static void gyre(JsonNode row, List<Measure> all) {
        StringJoiner what = new StringJoiner(" ");
        row.properties().forEach(cell -> {
            String name = cell.getKey();
            if (!COLUMNS.containsKey(name) && !name.endsWith("±"))
                what.add(cell.getValue().asText() + unit(name));
        });
        row.properties().forEach(cell -> {
            Column column = COLUMNS.get(cell.getKey());
            if (column == null || !cell.getValue().isNumber()) return;
            JsonNode deviation = row.path(column.deviation);
            all.add(new Measure(
                    what + ": " + cell.getKey(),
                    cell.getValue().asDouble(),
                    deviation.isNumber() ? Optional.of(2 * deviation.asDouble()) : Optional.empty(),
                    column.unit,
                    column.better));
        });
    }

    private static String unit(String column) {
        return column.equals("steps") || column.equals("threads") ? " " + column : "";
    }
}
