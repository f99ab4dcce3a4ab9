package dev.gyre.experiments;

import java.util.ArrayList;
import java.util.List;

/** Comma-separated values (RFC 4180): fields in double quotes may hold commas, line ends and doubled quotes. */
final class Csv {
    private final String text;
    private int at;

    private Csv(String text) {
        this.text = text;
    }

    /**
     * All lines but empty ones; a byte order mark is no part of the first name.
     *
     * @throws IllegalArgumentException when a quote is not closed or is followed by something else than a comma
     */
    static List<List<String>> parse(String text) {
        Csv csv = new Csv(text.startsWith("\uFEFF") ? text.substring(1) : text);
        List<List<String>> lines = new ArrayList<>();
        while (csv.at < csv.text.length()) {
            List<String> line = csv.line();
            if (line.size() > 1 || !line.getFirst().isEmpty()) lines.add(line);
        }
        return lines;
    }

    private List<String> line() {
        List<String> fields = new ArrayList<>();
        while (true) {
            fields.add(at < text.length() && text.charAt(at) == '"' ? quoted() : plain());
            if (at == text.length()) return fields;
            char end = text.charAt(at++);
            if (end == ',') continue;
            if (end == '\r' && at < text.length() && text.charAt(at) == '\n') at++;
            return fields;
        }
    }

    private String plain() {
        int from = at;
        while (at < text.length() && ",\r\n".indexOf(text.charAt(at)) < 0) at++;
        return text.substring(from, at);
    }

    private String quoted() {
        StringBuilder field = new StringBuilder();
        int from = at++;
        while (true) {
            int quote = text.indexOf('"', at);
            if (quote < 0) throw new IllegalArgumentException("a quote is not closed: " + start(from));
            field.append(text, at, quote);
            at = quote + 1;
            if (at == text.length() || ",\r\n".indexOf(text.charAt(at)) >= 0) return field.toString();
            if (text.charAt(at) != '"')
                throw new IllegalArgumentException("a comma is expected behind a quoted field: " + start(from));
            field.append('"');
            at++;
        }
    }

    private String start(int from) {
        return text.substring(from, Math.min(text.length(), from + 40)).strip();
    }
}
