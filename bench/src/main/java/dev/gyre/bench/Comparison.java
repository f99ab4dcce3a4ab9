package dev.gyre.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The same benchmarks before and after a change. */
public final class Comparison {
    /**
     * One figure of both.
     *
     * @param what the benchmark and its parameters
     * @param ratio after / before
     * @param verdict {@code faster}, {@code slower} (or {@code more}, {@code less}, where it is no time), {@code within the noise}, or
     *     {@code one run} where there is no telling
     */
    public record Row(String what, Measure before, Measure after, double ratio, String verdict) {}

    private final List<Row> rows = new ArrayList<>();
    private final List<String> unmatched = new ArrayList<>();

    private Comparison() {}

    /**
     * Compares two files.
     *
     * @throws IOException when one cannot be read or is neither of JMH nor of {@code gyre bench}, or when they have no figure in common
     */
    public static Comparison of(Path before, Path after) throws IOException {
        Map<String, Measure> first = byName(before), second = byName(after);
        Comparison comparison = new Comparison();
        first.forEach((what, old) -> {
            Measure now = second.get(what);
            if (now == null) comparison.unmatched.add("only in " + before + ": " + what);
            else if (!now.unit().equals(old.unit()))
                comparison.unmatched.add("not of one unit, " + old.unit() + " and " + now.unit() + ": " + what);
            else comparison.rows.add(row(what, old, now));
        });
        for (String what : second.keySet())
            if (!first.containsKey(what)) comparison.unmatched.add("only in " + after + ": " + what);
        if (comparison.rows.isEmpty())
            throw new IOException(before + " and " + after + " have no figure in common; "
                    + comparison.unmatched.stream().findFirst().orElse("both are empty"));
        return comparison;
    }

    private static Map<String, Measure> byName(Path file) throws IOException {
        Map<String, Measure> measures = new LinkedHashMap<>();
        for (Measure measure : Measure.read(file))
            if (measures.put(measure.what(), measure) != null)
                throw new IOException(file + ": " + measure.what() + " is there twice");
        return measures;
    }

    private static Row row(String what, Measure before, Measure after) {
        double ratio = after.value() / before.value();
        return new Row(what, before, after, ratio, verdict(before, after));
    }

    private static String verdict(Measure before, Measure after) {
        double difference = after.value() - before.value();
        Optional<Double> noise = before.noise().flatMap(one -> after.noise().map(other -> one + other));
        if (noise.isEmpty()) return "one run";
        if (Math.abs(difference) <= noise.get()) return "within the noise";
        if (before.better() == 0) return difference > 0 ? "more" : "less";
        return difference * before.better() > 0 ? "faster" : "slower";
    }

    /** One line a figure. */
    public Table table() {
        Table table = new Table("benchmark", "before", "±", "after", "± ", "unit", "after / before", "verdict");
        for (Row row : rows)
            table.add(
                    row.what,
                    row.before.value(),
                    row.before.noise().orElse(null),
                    row.after.value(),
                    row.after.noise().orElse(null),
                    row.before.unit(),
                    row.ratio,
                    row.verdict);
        return table;
    }

    /** The figures of both. */
    public List<Row> rows() {
        return List.copyOf(rows);
    }

    /** What one of them lacks, a line each. */
    public List<String> unmatched() {
        return List.copyOf(unmatched);
    }

    /** Whether anything is slower beyond the noise. */
    public boolean isSlower() {
        return rows.stream().anyMatch(row -> row.verdict.equals("slower"));
    }
}
