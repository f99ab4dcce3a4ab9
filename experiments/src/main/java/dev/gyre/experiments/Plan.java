package dev.gyre.experiments;

import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.settings.Setting;
import dev.gyre.diffusion.settings.SettingValues;
import dev.gyre.diffusion.settings.Settings;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Every prompt with every combination of a grid. The jobs of a prompt are consecutive. */
public record Plan(Prompts prompts, Grid grid) {
    /** The column of reference images: paths relative to the table's folder, or the files' bytes. */
    static final String REFERENCE = "reference";

    /** @throws IllegalArgumentException when a column or a value makes no sense, naming it */
    public Plan {
        Set<String> columns = prompts.columns();
        if (!columns.contains("prompt") && !grid.axes().containsKey(Settings.PROMPT))
            throw new IllegalArgumentException(
                    prompts.name() + ": a column \"prompt\" is expected, there are " + String.join(", ", columns));
        for (String column : columns) {
            boolean setting = Settings.isSwept(column);
            if (!setting && ResultTable.isColumn(column) && !column.equals(REFERENCE))
                throw new IllegalArgumentException(prompts.name() + ": column \"" + column
                        + "\" has the name of a column of results; another name is expected");
        }
        for (int i = 0; i < prompts.rows().size(); i++) {
            SettingValues settings =
                    checked(prompts.name() + ": row " + (i + 1), prompts.rows().get(i));
            for (Setting setting : settings.asMap().keySet())
                if (grid.axes().containsKey(setting))
                    throw new IllegalArgumentException("\"" + setting.column() + "\" is a column of " + prompts.name()
                            + " and a setting of the grid");
        }
    }

    private static SettingValues checked(String where, Map<String, Object> row) {
        row.forEach((column, value) -> {
            if (value instanceof byte[] && !column.equals(REFERENCE))
                throw new IllegalArgumentException(where + ": column \"" + column + "\": text is expected, got bytes");
        });
        try {
            SettingValues settings = settings(row);
            settings.asMap().forEach(Setting::check);
            return settings;
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(where + ": " + e.getMessage(), e);
        }
    }

    private static SettingValues settings(Map<String, Object> row) {
        Map<String, String> settings = new LinkedHashMap<>();
        row.forEach((column, value) -> {
            if (Settings.isSwept(column)) settings.put(column, value.toString());
        });
        return SettingValues.named(settings);
    }

    /** How many pictures. */
    public long size() {
        return Math.multiplyExact((long) prompts.rows().size(), grid.size());
    }

    /** @param row from 0 */
    public Job job(long row) {
        Map<String, Object> columns = prompts.rows().get((int) (row / grid.size()));
        Map<String, String> labels = new LinkedHashMap<>();
        columns.forEach((column, value) -> {
            if (!Settings.isSwept(column) && !column.equals(REFERENCE)) labels.put(column, value.toString());
        });
        Optional<Reference> reference =
                Optional.ofNullable(columns.get(REFERENCE)).map(value -> Reference.of(value, prompts.folder()));
        return new Job(row, settings(columns).or(grid.combination(row % grid.size())), labels, reference);
    }

    /** The prompts' columns that are neither settings nor references. */
    public List<String> labels() {
        return prompts.columns().stream()
                .filter(column -> !Settings.isSwept(column) && !column.equals(REFERENCE))
                .toList();
    }

    /** Whether any picture is compared with another. */
    public boolean hasReferences() {
        return prompts.columns().contains(REFERENCE);
    }

    /** All sizes; empty for the model's own. */
    Set<Optional<Request.Size>> sizes() {
        Set<Optional<Request.Size>> sizes = new LinkedHashSet<>();
        for (String size : grid.axes().getOrDefault(Settings.SIZE, List.of()))
            sizes.add(Optional.of(Request.Size.parse(size)));
        if (!sizes.isEmpty()) return sizes;
        for (Map<String, Object> row : prompts.rows())
            sizes.add(settings(row).get(Settings.SIZE).map(Request.Size::parse));
        return sizes;
    }

    /** A hash of the prompts' table and the grid, in hex digits. */
    public String sha256() {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
        add(digest, grid.toString().getBytes(StandardCharsets.UTF_8));
        for (Map<String, Object> row : prompts.rows()) {
            add(digest, new byte[] {1});
            row.forEach((column, value) -> {
                add(digest, column.getBytes(StandardCharsets.UTF_8));
                add(digest, value instanceof byte[] b ? b : value.toString().getBytes(StandardCharsets.UTF_8));
            });
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Prefixed with its length, so that no two lists of parts hash alike. */
    private static void add(MessageDigest digest, byte[] part) {
        digest.update((part.length + ":").getBytes(StandardCharsets.UTF_8));
        digest.update(part);
    }
}
