package dev.gyre.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ComparisonTest {
    @TempDir
    Path folder;

    private Path file(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    private static String jmh(String size, double score, String error, String unit) {
        return """
                {"benchmark": "a.B.run", "mode": "avgt", "threads": 1, "params": {"size": "%s"},
                 "primaryMetric": {"score": %s, "scoreError": %s, "scoreUnit": "%s"}}"""
                .formatted(size, score, error, unit);
    }

    @Test
    void jmhsErrorsAreTheNoise() throws IOException {
        Path before = file(
                "a.json",
                "[" + jmh("1", 10, "0.5", "ms/op") + "," + jmh("2", 10, "0.5", "ms/op") + ","
                        + jmh("3", 10, "\"NaN\"", "ms/op") + "," + jmh("4", 1, "0.1", "ms/op") + ","
                        + jmh("5", 1, "0.1", "ms/op") + "]");
        Path after = file(
                "b.json",
                "[" + jmh("1", 11.2, "0.6", "ms/op") + "," + jmh("2", 10.9, "0.5", "ms/op") + ","
                        + jmh("3", 5, "1", "ms/op") + "," + jmh("4", 0.5, "0.1", "ms/op") + ","
                        + jmh("5", 1, "0.1", "s/op") + "," + jmh("6", 1, "0.1", "s/op") + "]");
        Comparison comparison = Comparison.of(before, after);
        assertEquals(
                List.of("slower", "within the noise", "one run", "faster"),
                comparison.rows().stream().map(Comparison.Row::verdict).toList());
        assertEquals(1.12, comparison.rows().getFirst().ratio(), 1e-9);
        assertEquals(
                List.of(
                        "not of one unit, ms/op and s/op: a.B.run size=5 threads=1 avgt",
                        "only in " + after + ": a.B.run size=6 threads=1 avgt"),
                comparison.unmatched());
        assertTrue(comparison.isSlower());
        assertFalse(Comparison.of(after, after).isSlower());
    }

    @Test
    void gyresOwnAreMatchedByTheirParameters() throws IOException {
        Table before =
                new Table("model", "size", "steps", "threads", "load s", "s/step", "±", "GFLOP/s", "planned MiB");
        before.add("shapes", "128x128", 5, 2, 0.1, 0.20, 0.01, 100.0, 40L);
        Table after = new Table("model", "size", "steps", "threads", "load s", "s/step", "±", "GFLOP/s", "planned MiB");
        after.add("shapes", "128x128", 5, 2, 0.2, 0.15, 0.01, 130.0, 41L);
        Comparison comparison = Comparison.of(file("a.json", before.as("json")), file("b.json", after.as("json")));
        assertEquals(
                List.of(
                        "shapes 128x128 5 steps 2 threads: load s one run",
                        "shapes 128x128 5 steps 2 threads: s/step faster",
                        "shapes 128x128 5 steps 2 threads: GFLOP/s one run",
                        "shapes 128x128 5 steps 2 threads: planned MiB one run"),
                comparison.rows().stream()
                        .map(row -> row.what() + " " + row.verdict())
                        .toList());
        assertTrue(
                comparison.table().as("md").matches("(?s).*\\| +0\\.750 \\| faster .*"),
                comparison.table().as("md"));
    }

    @Test
    void whatIsNoResultIsRefused() throws IOException {
        Path good = file("good.json", "[" + jmh("1", 10, "0.5", "ms/op") + "]");
        for (String text : List.of("", "{}", "[{\"a\": 1}]", "[", "[1]")) {
            IOException e = assertThrows(IOException.class, () -> Comparison.of(file("bad.json", text), good), text);
            assertTrue(e.getMessage().startsWith(folder.resolve("bad.json") + ": "), e.getMessage());
        }
        Path other = file("other.json", "[" + jmh("7", 10, "0.5", "ms/op") + "]");
        assertTrue(assertThrows(IOException.class, () -> Comparison.of(good, other))
                .getMessage()
                .contains("have no figure in common"));
        Path twice = file("twice.json", "[" + jmh("1", 1, "1", "s") + "," + jmh("1", 1, "1", "s") + "]");
        assertTrue(assertThrows(IOException.class, () -> Comparison.of(twice, good))
                .getMessage()
                .endsWith("is there twice"));
    }
}
