package dev.gyre.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Rows of words and numbers, printed for people or for programs. A cell is a String, a Number, or null for nothing. */
public final class Table {
    private final List<String> columns;
    private final List<List<Object>> rows = new ArrayList<>();

    /** A table without rows. */
    public Table(String... columns) {
        this.columns = List.of(columns);
    }

    /**
     * Adds a row.
     *
     * @throws IllegalArgumentException when there are not as many cells as columns
     */
    public void add(Object... cells) {
        if (cells.length != columns.size())
            throw new IllegalArgumentException(columns.size() + " cells make a row, got " + cells.length);
        List<Object> row = new ArrayList<>();
        for (Object cell : cells) row.add(cell);
        rows.add(row);
    }

    /** Whether it has no row. */
    public boolean isEmpty() {
        return rows.isEmpty();
    }

    /** {@code md}, {@code csv} or {@code json}. */
    public String as(String format) {
        return switch (format) {
            case "md" -> markdown();
            case "csv" -> csv();
            case "json" -> json();
            default -> throw new IllegalArgumentException("output: md, csv or json, got " + format);
        };
    }

    private String markdown() {
        int[] widths = new int[columns.size()];
        for (int c = 0; c < widths.length; c++) {
            widths[c] = columns.get(c).length();
            for (List<Object> row : rows)
                widths[c] = Math.max(widths[c], shown(row.get(c)).length());
        }
        StringBuilder out = new StringBuilder();
        line(out, columns, widths);
        out.append('|');
        for (int c = 0; c < widths.length; c++)
            out.append(isNumber(c) ? "-" : ":").append("-".repeat(widths[c])).append(isNumber(c) ? ":|" : "-|");
        out.append('\n');
        for (List<Object> row : rows) line(out, row, widths);
        return out.toString();
    }

    private void line(StringBuilder out, List<?> cells, int[] widths) {
        out.append('|');
        for (int c = 0; c < widths.length; c++) {
            String text = shown(cells.get(c)), space = " ".repeat(widths[c] - text.length());
            out.append(' ').append(isNumber(c) ? space + text : text + space).append(" |");
        }
        out.append('\n');
    }

    private boolean isNumber(int column) {
        return rows.stream().anyMatch(row -> row.get(column) instanceof Number);
    }

    private String csv() {
        StringBuilder out = new StringBuilder(String.join(",", columns)).append('\n');
        for (List<Object> row : rows)
            out.append(String.join(",", row.stream().map(Table::quoted).toList()))
                    .append('\n');
        return out.toString();
    }

    private static String quoted(Object cell) {
        String text = exact(cell);
        return text.matches("(?s).*[,\"\n\r].*") ? '"' + text.replace("\"", "\"\"") + '"' : text;
    }

    private String json() {
        List<String> objects = new ArrayList<>();
        for (List<Object> row : rows) {
            List<String> members = new ArrayList<>();
            for (int c = 0; c < columns.size(); c++)
                members.add(string(columns.get(c)) + ": "
                        + (row.get(c) instanceof String text ? string(text) : String.valueOf(row.get(c))));
            objects.add("  {" + String.join(", ", members) + "}");
        }
        return "[\n" + String.join(",\n", objects) + "\n]\n";
    }

    private static String string(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray())
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c < ' ') out.append(String.format("\\u%04x", (int) c));
            else out.append(c);
        return out.append('"').toString();
    }

    private static String exact(Object cell) {
        return cell == null ? "" : cell.toString();
    }

    /** Three digits of what has a fraction. */
    private static String shown(Object cell) {
        if (!(cell instanceof Double value)) return exact(cell);
        double size = Math.abs(value);
        return String.format(
                Locale.ROOT, size >= 100 ? "%.0f" : size >= 10 ? "%.1f" : size >= 1 ? "%.2f" : "%.3f", value);
    }
}
