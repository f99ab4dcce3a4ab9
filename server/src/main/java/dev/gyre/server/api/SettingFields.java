package dev.gyre.server.api;

import dev.gyre.diffusion.request.Range;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.settings.Setting;
import dev.gyre.diffusion.settings.SettingValues;
import dev.gyre.diffusion.settings.Settings;
import dev.gyre.server.http.ApiError;
import dev.gyre.server.http.RequestFields;
import dev.gyre.server.options.ServerOptions;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads the fields of the table of settings, under Gyre's names and other tools'. */
final class SettingFields {
    private static final int MOST_PICTURES = 10, LONGEST_TEXT = 32_000;

    /** A size of this value counts as absent. */
    private static final String AUTO = "auto";

    private final ServerOptions.Limits limits;

    SettingFields(ServerOptions.Limits limits) {
        this.limits = limits;
    }

    /** Whether an endpoint takes a setting. */
    static boolean has(ImageRequest.Kind kind, Setting setting) {
        return setting.isServed()
                && (kind != ImageRequest.Kind.GENERATION || !setting.need().isOfInitImage());
    }

    /** A setting's range within the operator's limits; empty if it is not a number. */
    Optional<Range> range(Setting setting) {
        if (setting == Settings.STEPS || setting == Settings.HIRES_STEPS)
            return Optional.of(Range.of(1, limits.steps()));
        return setting == Settings.BATCH ? Optional.of(Range.of(1, MOST_PICTURES)) : setting.range();
    }

    /** The settings of a request, with the field's name of each. */
    record Given(SettingValues values, Map<Setting, String> names) {
        /** The request with these settings, which override the operator's. */
        Request apply(Request request, SettingValues operator) {
            try {
                return values.apply(request, operator);
            } catch (IllegalArgumentException e) {
                throw ApiError.invalid(
                        Settings.about(e.getMessage()).map(names::get).orElse(null), e.getMessage());
            }
        }
    }

    /** @throws ApiError naming an invalid field */
    Given read(ImageRequest.Kind kind, RequestFields fields) {
        Map<Setting, String> values = new LinkedHashMap<>(), names = new HashMap<>();
        for (Setting candidate : Settings.ALL)
            if (has(kind, candidate))
                for (String name : candidate.fields()) {
                    if (names.containsValue(name)) continue; // of another setting with the same name
                    Optional<String> value = value(candidate, name, fields);
                    if (value.isEmpty()) continue;
                    Setting setting = Settings.named(name, value.get()).orElseThrow();
                    check(setting, name, value.get());
                    String before = values.putIfAbsent(setting, value.get());
                    if (before == null) names.put(setting, name);
                    else if (!before.equals(value.get()))
                        throw ApiError.invalid(
                                name,
                                "Invalid value for '" + name + "': '" + names.get(setting)
                                        + "', which means the same, has another value.");
                }
        sides(fields).ifPresent(size -> {
            check(Settings.SIZE, "width", size);
            if (values.putIfAbsent(Settings.SIZE, size) == null) names.put(Settings.SIZE, "width");
        });
        return new Given(SettingValues.of(values), names);
    }

    private Optional<String> value(Setting setting, String name, RequestFields fields) {
        if (fields.value(name).isEmpty()) return Optional.empty();
        if (setting == Settings.SEED)
            return fields.integer(name, -1, Long.MAX_VALUE - MOST_PICTURES).stream()
                    .mapToObj(String::valueOf)
                    .findFirst();
        Optional<Range> range = range(setting);
        return switch (setting.type()) {
            case TEXT -> fields.text(name).filter(text -> setting != Settings.SIZE || !text.equals(AUTO));
            case INTEGER, LONG ->
                fields
                        .integer(
                                name,
                                range.map(one -> (long) one.min()).orElse(Long.MIN_VALUE),
                                range.map(one -> (long) one.max()).orElse(Long.MAX_VALUE))
                        .stream()
                        .mapToObj(String::valueOf)
                        .findFirst();
            case NUMBER ->
                fields
                        .number(
                                name,
                                range.orElseThrow().min(),
                                range.orElseThrow().max())
                        .stream()
                        .mapToObj(String::valueOf)
                        .findFirst();
            case FLAG -> Optional.of(String.valueOf(fields.flag(name)));
        };
    }

    private void check(Setting setting, String name, String value) {
        if (setting == Settings.SIZE) checkSize(name, value);
        if (setting.type() == Setting.Type.TEXT && value.length() > LONGEST_TEXT)
            throw ApiError.invalid(
                    name,
                    "Invalid value for '" + name + "': at most " + LONGEST_TEXT + " characters, got " + value.length()
                            + ".");
        try {
            setting.check(value);
        } catch (IllegalArgumentException e) {
            throw ApiError.invalid(name, "Invalid value for '" + name + "': " + e.getMessage() + ".");
        }
    }

    private void checkSize(String name, String value) {
        Request.Size size;
        try {
            size = Request.Size.parse(value);
        } catch (IllegalArgumentException e) {
            throw ApiError.invalid(
                    name, "Invalid value for '" + name + "': expected WIDTHxHEIGHT or auto, got '" + value + "'.");
        }
        boolean eights = size.width() >= 8 && size.height() >= 8 && size.width() % 8 == 0 && size.height() % 8 == 0;
        if (!eights || (long) size.width() * size.height() > limits.pixels())
            throw ApiError.invalid(
                    name,
                    "Invalid value for '" + name + "': multiples of 8, and at most " + limits.pixels()
                            + " pixels in all, got " + size + ".");
    }

    /** The size from the fields {@code width} and {@code height}. */
    private static Optional<String> sides(RequestFields fields) {
        String[] sides = new String[2];
        List<String> names = List.of("width", "height");
        for (int i = 0; i < 2; i++) {
            var side = fields.count(names.get(i), 8, 1 << 16);
            if (side.isPresent()) sides[i] = String.valueOf(side.getAsInt());
        }
        if (sides[0] == null && sides[1] == null) return Optional.empty();
        for (int i = 0; i < 2; i++) if (sides[i] == null) throw ApiError.missing(names.get(i));
        return Optional.of(sides[0] + "x" + sides[1]);
    }
}
