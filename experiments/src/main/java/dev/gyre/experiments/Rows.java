package dev.gyre.experiments;

import dev.gyre.arrow.ArrowFiles;
import dev.gyre.diffusion.settings.Setting;
import dev.gyre.diffusion.settings.Settings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowReader;

/**
 * The data of a report: every row of a results table without its tensors, and the first rows' pictures.
 *
 * @param pictures PNGs of the first rows; null where there is none
 */
record Rows(Manifest manifest, List<Row> rows, List<byte[]> pictures) {
    /**
     * A row.
     *
     * @param settings prompt, size and the like, as text
     * @param seconds of text, denoising and decoding; NaN where there are none
     * @param likeness PSNR, SSIM and the latents' distance, likewise
     * @param error empty if there is none
     */
    record Row(long row, Map<String, String> settings, double[] seconds, double[] likeness, String error) {
        String get(String setting) {
            return settings.getOrDefault(setting, "");
        }

        double total() {
            double sum = 0;
            for (double phase : seconds) sum += phase;
            return sum;
        }
    }

    /** @param most how many pictures to keep */
    static Rows read(Path file, int most) throws IOException {
        List<Row> rows = new ArrayList<>();
        List<byte[]> pictures = new ArrayList<>();
        try (BufferAllocator allocator = new RootAllocator();
                ArrowReader reader = ArrowFiles.open(file, allocator)) {
            VectorSchemaRoot table = reader.getVectorSchemaRoot();
            Manifest manifest = new Manifest(table.getSchema().getCustomMetadata());
            Map<String, String> shared = new LinkedHashMap<>(); // equal texts are kept once
            while (reader.loadNextBatch())
                for (int i = 0; i < table.getRowCount(); i++) {
                    rows.add(row(table, i, shared));
                    if (pictures.size() < most)
                        pictures.add((byte[]) table.getVector(ResultTable.PNG).getObject(i));
                }
            return new Rows(manifest, rows, pictures);
        }
    }

    private static Row row(VectorSchemaRoot table, int i, Map<String, String> shared) {
        Map<String, String> settings = new LinkedHashMap<>();
        for (Setting setting : Settings.ALL) {
            FieldVector column = setting.isSwept() ? table.getVector(setting.column()) : null;
            if (column == null || column.isNull(i)) continue;
            settings.put(setting.column(), shared.computeIfAbsent(text(column.getObject(i)), t -> t));
        }
        Object error = table.getVector(ResultTable.ERROR).getObject(i);
        return new Row(
                (long) table.getVector(ResultTable.ROW).getObject(i),
                settings,
                numbers(table, ResultTable.SECONDS, i),
                numbers(table, ResultTable.LIKENESS, i),
                error == null ? "" : error.toString());
    }

    /** Numbers as short as they can be. */
    private static String text(Object value) {
        String text = value.toString();
        return value instanceof Double && text.endsWith(".0") ? text.substring(0, text.length() - 2) : text;
    }

    private static double[] numbers(VectorSchemaRoot table, List<String> names, int i) {
        double[] numbers = new double[names.size()];
        for (int n = 0; n < numbers.length; n++) {
            FieldVector column = table.getVector(names.get(n));
            numbers[n] = column == null || column.isNull(i) ? Double.NaN : (double) column.getObject(i);
        }
        return numbers;
    }

    /** Settings other than the prompt that vary; those that follow from the sampler only if the grid has them. */
    List<String> varying() {
        Grid grid = Grid.parse(manifest.get("grid"));
        return Settings.ALL.stream()
                .filter(setting -> setting.isSwept() && setting != Settings.PROMPT)
                .filter(setting -> !(setting == Settings.SCHEDULE || setting == Settings.ETA)
                        || grid.axes().containsKey(setting))
                .map(Setting::column)
                .filter(name -> values(name).size() > 1)
                .toList();
    }

    /** All values of a setting; numbers sorted, other values in order of appearance. */
    Set<String> values(String setting) {
        Set<String> values = new LinkedHashSet<>();
        for (Row row : rows) values.add(row.get(setting));
        if (!values.stream().allMatch(Rows::isNumber)) return values;
        Set<String> sorted = new TreeSet<>((a, b) -> Double.compare(Double.parseDouble(a), Double.parseDouble(b)));
        sorted.addAll(values);
        return sorted;
    }

    static boolean isNumber(String text) {
        return text.matches("-?[0-9]+(\\.[0-9]+)?");
    }

    /** The fastest-varying setting; empty if it is the prompt. */
    String fastest() {
        List<Setting> axes =
                new ArrayList<>(Grid.parse(manifest.get("grid")).axes().keySet());
        for (Setting axis : axes.reversed()) if (values(axis.column()).size() > 1) return axis.column();
        return "";
    }

    /** Settings as a caption: {@code euler · 10 steps · guidance 5}. */
    static String caption(Row row, List<String> settings) {
        List<String> parts = new ArrayList<>();
        for (String name : settings)
            parts.add(
                    switch (name) {
                        case "sampler", "schedule", "size" -> row.get(name);
                        case "steps" -> row.get(name) + " steps";
                        case "negative" -> "not “" + row.get(name) + "”";
                        default -> name.replace('_', ' ') + " " + row.get(name);
                    });
        return String.join(" · ", parts);
    }
}
