package dev.gyre.experiments;

import dev.gyre.diffusion.settings.Setting;
import dev.gyre.diffusion.settings.SettingValues;
import dev.gyre.diffusion.settings.Settings;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Settings and the values of each: a sweep runs all combinations, the last setting varying fastest. Written
 * {@code "sampler=euler,dpmpp_2m steps=10,20 guidance=5,7.5 seed=0..7"}; names are those of {@link Settings}, Gyre's or another tool's.
 *
 * @param axes in the order they were given, each with at least one value and none twice
 */
public record Grid(Map<Setting, List<String>> axes) {
    /** A single combination, without settings. */
    public static final Grid NONE = new Grid(Map.of());

    /** The limit on combinations. */
    private static final long MOST = 1L << 40;

    private static final int LONGEST_RANGE = 1 << 24;

    /** Takes a copy. */
    public Grid {
        Map<Setting, List<String>> copy = new LinkedHashMap<>();
        axes.forEach((setting, values) -> copy.put(setting, List.copyOf(values)));
        axes = Collections.unmodifiableMap(copy);
    }

    /**
     * Reads a grid. {@code 0..7} stands for all whole numbers from 0 to 7. A value with a comma or a blank in it is put in double quotes.
     *
     * @throws IllegalArgumentException when it is malformed, naming the setting
     */
    public static Grid parse(String text) {
        Map<Setting, List<String>> axes = new LinkedHashMap<>();
        for (String axis : split(text, ' ')) {
            if (axis.isBlank()) continue;
            int equals = axis.indexOf('=');
            if (equals < 1)
                throw new IllegalArgumentException(
                        "grid: settings as in steps=10,20 are expected, got \"" + axis + "\"");
            String name = axis.substring(0, equals);
            List<String> given = split(axis.substring(equals + 1), ',');
            Setting setting = Settings.named(name, plain(given.getFirst()))
                    .filter(Setting::isSwept)
                    .orElseThrow(() -> new IllegalArgumentException(
                            "grid: there is no setting \"" + name + "\"; there are " + Settings.sweptNames()));
            List<String> values = new ArrayList<>();
            for (String value : given) values.addAll(values(setting, value));
            if (new LinkedHashSet<>(values).size() < values.size())
                throw new IllegalArgumentException("grid: " + name + ": each value once, got " + values);
            if (axes.put(setting, values) != null)
                throw new IllegalArgumentException("grid: the setting " + name + " is given twice");
        }
        Grid grid = new Grid(axes);
        grid.size();
        return grid;
    }

    private static List<String> values(Setting setting, String value) {
        if (isRanged(setting)) {
            String[] ends = value.split("\\.\\.", -1);
            if (ends.length == 2) return range(setting, value, ends);
        }
        String plain = plain(value);
        try {
            setting.check(plain);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("grid: " + e.getMessage(), e);
        }
        return List.of(plain);
    }

    private static String plain(String value) {
        return value.length() > 1 && value.startsWith("\"") && value.endsWith("\"")
                ? value.substring(1, value.length() - 1)
                : value;
    }

    private static List<String> range(Setting setting, String value, String[] ends) {
        List<String> all = new ArrayList<>();
        try {
            long from = Long.parseLong(ends[0]), to = Long.parseLong(ends[1]);
            if (from > to || to - from >= LONGEST_RANGE) throw new NumberFormatException();
            for (long i = from; i <= to; i++) all.add(String.valueOf(i));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "grid: " + setting.label() + ": a range as in 0..7, got \"" + value + "\"", e);
        }
        for (String end : ends) values(setting, end);
        return all;
    }

    /** Splits at a character outside double quotes. */
    private static List<String> split(String text, char at) {
        List<String> parts = new ArrayList<>();
        StringBuilder part = new StringBuilder();
        boolean quoted = false;
        for (char c : text.toCharArray()) {
            if (c == '"') quoted = !quoted;
            if (c == at && !quoted) {
                parts.add(part.toString());
                part.setLength(0);
            } else part.append(c);
        }
        parts.add(part.toString());
        return parts;
    }

    /** How many combinations there are. */
    public long size() {
        long size = 1;
        for (List<String> values : axes.values()) {
            size *= values.size();
            if (size > MOST) throw new IllegalArgumentException("grid: more combinations than can be drawn");
        }
        return size;
    }

    /** One of the combinations. */
    public SettingValues combination(long index) {
        List<Setting> order = new ArrayList<>(axes.keySet());
        Map<Setting, String> values = new LinkedHashMap<>();
        for (int i = order.size() - 1; i >= 0; i--) {
            List<String> all = axes.get(order.get(i));
            values.put(order.get(i), all.get((int) (index % all.size())));
            index /= all.size();
        }
        return SettingValues.of(values);
    }

    @Override
    public String toString() {
        return axes.entrySet().stream()
                .map(axis -> axis.getKey().column() + "=" + String.join(",", written(axis.getKey(), axis.getValue())))
                .collect(Collectors.joining(" "));
    }

    /** Consecutive numbers become a range: there may be many seeds. */
    private static List<String> written(Setting setting, List<String> values) {
        if (values.size() > 2 && isRanged(setting)) {
            long from = Long.parseLong(values.getFirst());
            boolean range = true;
            for (int i = 0; i < values.size(); i++) range &= values.get(i).equals(String.valueOf(from + i));
            if (range) return List.of(values.getFirst() + ".." + values.getLast());
        }
        return values.stream().map(Grid::quoted).toList();
    }

    private static boolean isRanged(Setting setting) {
        return setting.type() == Setting.Type.INTEGER || setting.type() == Setting.Type.LONG;
    }

    private static String quoted(String value) {
        return value.matches("[^ ,\"]+") ? value : '"' + value + '"';
    }
}
