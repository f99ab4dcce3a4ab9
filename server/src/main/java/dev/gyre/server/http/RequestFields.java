package dev.gyre.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/** The fields of a request. {@code null} counts as absent; in forms, so does an empty value. */
public final class RequestFields {
    private final Map<String, JsonNode> values;
    private final Map<String, List<byte[]>> files;
    private final boolean form;
    private final Set<String> asked = new HashSet<>();

    RequestFields(Map<String, JsonNode> values, Map<String, List<byte[]>> files, boolean form) {
        this.values = values;
        this.files = files;
        this.form = form;
    }

    /** The value as sent. */
    public Optional<JsonNode> value(String name) {
        asked.add(name);
        return Optional.ofNullable(values.get(name))
                .filter(value -> !value.isNull() && !(form && value.textValue().isEmpty()));
    }

    public Optional<String> text(String name) {
        return value(name).map(value -> {
            if (!value.isTextual()) throw expected(name, "a string", value);
            return value.textValue();
        });
    }

    public String text(String name, String otherwise, List<String> allowed) {
        Optional<String> text = text(name);
        if (text.isPresent() && !allowed.contains(text.get()))
            throw ApiError.invalid(
                    name,
                    "Invalid value for '" + name + "': expected " + String.join(", ", allowed) + ", got "
                            + quoted(text.get()) + ".");
        return text.orElse(otherwise);
    }

    public OptionalLong integer(String name, long from, long to) {
        Optional<JsonNode> value = value(name);
        if (value.isEmpty()) return OptionalLong.empty();
        Optional<Long> number = whole(value.get());
        if (number.isEmpty()) throw expected(name, "an integer", value.get());
        if (number.get() < from || number.get() > to)
            throw ApiError.invalid(
                    name,
                    "Invalid value for '" + name + "': expected " + from + " to " + to + ", got " + number.get() + ".");
        return OptionalLong.of(number.get());
    }

    public OptionalInt count(String name, int from, int to) {
        OptionalLong value = integer(name, from, to);
        return value.isPresent() ? OptionalInt.of((int) value.getAsLong()) : OptionalInt.empty();
    }

    /** Clients without integers write 20 as 20.0. */
    private Optional<Long> whole(JsonNode value) {
        if (value.isIntegralNumber())
            return value.canConvertToLong() ? Optional.of(value.longValue()) : Optional.empty();
        if (value.isNumber())
            return value.canConvertToExactIntegral() && value.canConvertToLong()
                    ? Optional.of(value.longValue())
                    : Optional.empty();
        if (!form || !value.textValue().strip().matches("[+-]?\\d{1,18}")) return Optional.empty();
        return Optional.of(Long.parseLong(value.textValue().strip()));
    }

    public OptionalDouble number(String name, double from, double to) {
        Optional<JsonNode> value = value(name);
        if (value.isEmpty()) return OptionalDouble.empty();
        double number = number(name, value.get());
        if (!(number >= from && number <= to))
            throw ApiError.invalid(
                    name, "Invalid value for '" + name + "': expected " + from + " to " + to + ", got " + number + ".");
        return OptionalDouble.of(number);
    }

    private double number(String name, JsonNode value) {
        if (value.isNumber()) return value.doubleValue();
        String text = form ? value.textValue().strip() : "";
        if (!text.matches("[+-]?(\\d{1,20}(\\.\\d{0,20})?|\\.\\d{1,20})([eE][+-]?\\d{1,3})?"))
            throw expected(name, "a number", value);
        return Double.parseDouble(text);
    }

    public boolean flag(String name) {
        Optional<JsonNode> value = value(name);
        if (value.isEmpty()) return false;
        if (value.get().isBoolean()) return value.get().booleanValue();
        String text = form ? value.get().textValue() : "";
        if (text.equals("true") || text.equals("false")) return text.equals("true");
        throw expected(name, "a boolean", value.get());
    }

    /** Files sent under this name. */
    public List<byte[]> files(String name) {
        asked.add(name);
        return files.getOrDefault(name, List.of());
    }

    /** Marks fields as known that have no effect. */
    public void ignore(String... names) {
        asked.addAll(Arrays.asList(names));
    }

    /** Fields that were never read. */
    public Set<String> unknown() {
        Set<String> unknown = new TreeSet<>(values.keySet());
        unknown.addAll(files.keySet());
        unknown.removeAll(asked);
        return unknown;
    }

    private static ApiError expected(String name, String what, JsonNode value) {
        String got = value.isTextual() ? quoted(value.textValue()) : cut(value.toString());
        return ApiError.invalid(name, "Invalid type for '" + name + "': expected " + what + ", got " + got + ".");
    }

    static String quoted(String text) {
        return "'" + cut(text) + "'";
    }

    private static String cut(String text) {
        return text.length() <= 40 ? text : text.substring(0, 40) + "…";
    }
}
