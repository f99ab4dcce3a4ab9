package dev.gyre.experiments;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleUnaryOperator;

/** Plots as SVG, to stand in a page: its style has the classes {@code s0} to {@code s7} for colours. */
final class Chart {
    private static final int WIDTH = 560, HEIGHT = 280, LEFT = 62, RIGHT = 130, TOP = 14, BOTTOM = 44, COLOURS = 8;

    private Chart() {}

    /**
     * A line, or dots.
     *
     * @param joined whether its points are joined
     */
    record Series(String name, List<double[]> points, boolean joined) {}

    /**
     * A bar of parts.
     *
     * @param parts as many as there are names of parts
     */
    record Bar(String name, double[] parts) {}

    /** Points over numbers; the y axis begins at 0 where {@code zero} says so. */
    static String lines(String x, String y, List<Series> series, boolean zero) {
        double[] xs = range(series, 0), ys = range(series, 1);
        if (zero) ys[0] = Math.min(0, ys[0]);
        double[] xTicks = ticks(xs[0], xs[1]), yTicks = ticks(ys[0], ys[1]);
        if (zero || yTicks.length > 0) {
            ys[0] = Math.min(ys[0], yTicks[0]);
            ys[1] = Math.max(ys[1], yTicks[yTicks.length - 1]);
        }
        DoubleUnaryOperator px = v -> LEFT + (v - xs[0]) / (xs[1] - xs[0]) * (WIDTH - LEFT - RIGHT);
        DoubleUnaryOperator py = v -> HEIGHT - BOTTOM - (v - ys[0]) / (ys[1] - ys[0]) * (HEIGHT - TOP - BOTTOM);
        StringBuilder svg = open(WIDTH, HEIGHT, y + " over " + x);
        for (double tick : yTicks) {
            svg.append(format(
                    "<path class='grid' d='M%.1f %.1fH%d'/>", (double) LEFT, py.applyAsDouble(tick), WIDTH - RIGHT));
            text(svg, LEFT - 8, py.applyAsDouble(tick) + 4, "end", number(tick));
        }
        for (double tick : xTicks) text(svg, px.applyAsDouble(tick), HEIGHT - BOTTOM + 18, "middle", number(tick));
        text(svg, (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 6, "middle", x);
        svg.append(format(
                "<text class='axis' text-anchor='middle' transform='translate(14 %.1f) rotate(-90)'>%s</text>",
                (TOP + HEIGHT - BOTTOM) / 2.0, escape(y)));
        for (int i = 0; i < series.size(); i++) {
            Series one = series.get(i);
            StringBuilder path = new StringBuilder();
            for (double[] point : one.points) {
                double cx = px.applyAsDouble(point[0]), cy = py.applyAsDouble(point[1]);
                path.append(path.isEmpty() ? 'M' : 'L').append(format("%.1f %.1f", cx, cy));
                svg.append(format(
                        "<circle class='s%d' cx='%.1f' cy='%.1f' r='%s'><title>%s: %s, %s</title></circle>",
                        i % COLOURS,
                        cx,
                        cy,
                        one.joined ? "3.5" : "1.8",
                        escape(one.name),
                        number(point[0]),
                        number(point[1])));
            }
            if (one.joined) svg.append(format("<path class='line s%d' d='%s'/>", i % COLOURS, path));
            if (series.size() > 1) legend(svg, i, one.name, WIDTH - RIGHT + 16);
        }
        return svg.append("</svg>").toString();
    }

    /** Bars that lie, of parts one behind the other. */
    static String bars(String unit, List<String> parts, List<Bar> bars) {
        int label = 250, width = 760, row = 22, bottom = TOP + bars.size() * row;
        double most = bars.stream().mapToDouble(bar -> sum(bar.parts)).max().orElse(1);
        double[] ticks = ticks(0, most);
        double end = Math.max(most, ticks[ticks.length - 1]);
        double scale = (width - label - 70) / end;
        StringBuilder svg = open(width, bottom + 56, unit);
        for (double tick : ticks) {
            svg.append(format("<path class='grid' d='M%.1f %dV%d'/>", label + tick * scale, TOP, bottom));
            text(svg, label + tick * scale, bottom + 16, "middle", number(tick));
        }
        for (int i = 0; i < bars.size(); i++) {
            Bar bar = bars.get(i);
            int y = TOP + i * row;
            double x = label;
            String name = bar.name.length() > 40 ? bar.name.substring(0, 39) + "…" : bar.name;
            text(svg, label - 8, y + 15, "end", name);
            for (int p = 0; p < bar.parts.length; p++) {
                svg.append(format(
                        "<rect class='s%d' x='%.1f' y='%d' width='%.1f' height='%d'><title>%s, %s: %s</title></rect>",
                        p,
                        x,
                        y + 3,
                        bar.parts[p] * scale,
                        row - 6,
                        escape(bar.name),
                        escape(parts.get(p)),
                        number(bar.parts[p])));
                x += bar.parts[p] * scale;
            }
            text(svg, x + 6, y + 15, "start", number(sum(bar.parts)));
        }
        int x = label;
        for (int p = 0; p < parts.size(); p++) {
            svg.append(format("<rect class='s%d' x='%d' y='%d' width='10' height='10'/>", p, x, bottom + 34));
            text(svg, x + 16, bottom + 43, "start", parts.get(p));
            x += 30 + 8 * parts.get(p).length();
        }
        text(svg, width - 70, bottom + 43, "end", unit);
        return svg.append("</svg>").toString();
    }

    private static void legend(StringBuilder svg, int i, String name, int x) {
        svg.append(format("<rect class='s%d' x='%d' y='%d' width='10' height='10'/>", i % COLOURS, x, TOP + i * 18));
        text(svg, x + 16, TOP + i * 18 + 9, "start", name.length() > 17 ? name.substring(0, 16) + "…" : name);
    }

    private static StringBuilder open(int width, int height, String what) {
        return new StringBuilder(format(
                "<svg viewBox='0 0 %d %d' width='%d' height='%d' role='img' aria-label='%s'>",
                width, height, width, height, escape(what)));
    }

    private static void text(StringBuilder svg, double x, double y, String anchor, String text) {
        svg.append(
                format("<text class='axis' x='%.1f' y='%.1f' text-anchor='%s'>%s</text>", x, y, anchor, escape(text)));
    }

    /** The least and the largest, apart at least a little. */
    private static double[] range(List<Series> series, int axis) {
        double[] range = {Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY};
        for (Series one : series)
            for (double[] point : one.points) {
                range[0] = Math.min(range[0], point[axis]);
                range[1] = Math.max(range[1], point[axis]);
            }
        if (!(range[0] <= range[1])) return new double[] {0, 1};
        double room = range[0] == range[1] ? Math.max(Math.abs(range[0]) * 0.1, 0.5) : 0;
        return new double[] {range[0] - room, range[1] + room};
    }

    /** Round numbers in a range, about five. */
    static double[] ticks(double from, double to) {
        double rough = (to - from) / 5, power = Math.pow(10, Math.floor(Math.log10(rough)));
        double step = power * (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10);
        List<Double> ticks = new ArrayList<>();
        for (double tick = Math.ceil(from / step - 1e-9) * step; tick <= to + step * 1e-9; tick += step)
            ticks.add(tick);
        if (ticks.isEmpty()) ticks.add(from);
        return ticks.stream().mapToDouble(tick -> tick).toArray();
    }

    private static double sum(double[] values) {
        double sum = 0;
        for (double value : values) sum += value;
        return sum;
    }

    /** At most four digits that count. */
    static String number(double value) {
        if (value == 0) return "0";
        double size = Math.abs(value);
        if (size >= 1000) return format("%.0f", value);
        String text = format("%." + Math.max(0, 3 - (int) Math.floor(Math.log10(size))) + "f", value);
        return text.contains(".") ? text.replaceAll("0+$", "").replaceAll("\\.$", "") : text;
    }

    static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("'", "&#39;")
                .replace("\"", "&quot;");
    }

    static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
