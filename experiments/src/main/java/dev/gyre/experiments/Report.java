package dev.gyre.experiments;

import dev.gyre.diffusion.image.Image;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;

/** A sweep's report: a contact sheet, and a self-contained HTML page with plots. */
public final class Report {
    private static final int MOST_BARS = 32, MOST_DOTS = 2000, MOST_ERRORS = 50, TILE = 128;
    private static final List<String> PHASES = List.of("text", "denoise", "decode");
    private static final List<String> MEASURES = List.of("PSNR, dB", "SSIM", "distance of latents");

    private final Rows rows;
    private final StringBuilder html = new StringBuilder();

    private Report(Rows rows) {
        this.rows = rows;
    }

    /**
     * Writes a table's contact sheet and report beside it.
     *
     * @param notes told in a sentence of what is missing
     * @return the PNG and the HTML file
     * @throws IOException when the table cannot be read, or they cannot be written
     */
    public static List<Path> write(Path results, Consumer<String> notes) throws IOException {
        Rows rows = Rows.read(results, Sheet.MOST_TILES);
        Sheet sheet = Sheet.of(rows);
        String name = results.getFileName().toString().replaceAll("\\.arrow$", "");
        Path png = results.resolveSibling(name + ".png"), page = results.resolveSibling(name + ".html");
        ByteArrayOutputStream picture = new ByteArrayOutputStream();
        ImageIO.write(ContactSheet.draw(sheet, notes), "png", picture);
        move(picture.toByteArray(), png);
        move(new Report(rows).page(name, sheet).getBytes(StandardCharsets.UTF_8), page);
        return List.of(png, page);
    }

    private static void move(byte[] bytes, Path to) throws IOException {
        Path beside = to.resolveSibling("." + to.getFileName() + "." + UUID.randomUUID() + ".part");
        try {
            Files.write(beside, bytes);
            Files.move(beside, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(beside);
        }
    }

    private String page(String title, Sheet sheet) throws IOException {
        html.append("<!doctype html>\n<html lang='en'>\n<meta charset='utf-8'>\n"
                + "<meta name='viewport' content='width=device-width'>\n<title>");
        html.append(Chart.escape(title))
                .append("</title>\n<style>\n")
                .append(STYLE)
                .append("</style>\n<main>\n");
        heading(title);
        plots();
        pictures(sheet);
        errors();
        manifest();
        return html.append("</main>\n</html>\n").toString();
    }

    private void heading(String title) {
        long errors = rows.rows().stream().filter(row -> !row.error().isEmpty()).count();
        double seconds = rows.rows().stream()
                .mapToDouble(Rows.Row::total)
                .filter(Double::isFinite)
                .sum();
        html.append("<h1>").append(Chart.escape(title)).append("</h1>\n<p class='lead'>");
        html.append(rows.rows().size()).append(rows.rows().size() == 1 ? " picture" : " pictures");
        html.append(" of ").append(rows.values("prompt").size()).append(" prompts with the model ");
        html.append(Chart.escape(rows.manifest().get("model"))).append(", ");
        html.append(Chart.number(seconds)).append(" s of drawing");
        html.append(errors == 0 ? "" : ", <a href='#errors'>" + errors + " with errors</a>")
                .append(".</p>\n");
    }

    private void plots() {
        List<String> settings = new ArrayList<>(rows.varying());
        settings.remove("seed");
        Map<String, List<Rows.Row>> groups = grouped(settings);
        figure(
                "Seconds a picture",
                "Medians over prompts and seeds"
                        + (groups.size() > MOST_BARS
                                ? "; the first " + MOST_BARS + " of " + groups.size() + " settings."
                                : "."),
                Chart.bars("seconds", PHASES, timeBars(groups)));
        String x = settings.stream()
                .filter(name -> rows.values(name).stream().allMatch(Rows::isNumber))
                .max((a, b) ->
                        Integer.compare(rows.values(a).size(), rows.values(b).size()))
                .orElse("");
        for (int m = 0; m < MEASURES.size(); m++) {
            int measure = m;
            if (rows.rows().stream().noneMatch(row -> Double.isFinite(row.likeness()[measure]))) continue;
            if (x.isEmpty()) bars(measure, groups);
            else
                figure(
                        "Likeness to the reference: " + MEASURES.get(m),
                        "Medians over everything else.",
                        Chart.lines(x, MEASURES.get(m), lines(x, settings, row -> row.likeness()[measure]), false));
        }
        if (settings.contains("steps"))
            figure(
                    "Seconds over steps",
                    "Denoising alone; medians over everything else.",
                    Chart.lines("steps", "seconds", lines("steps", settings, row -> row.seconds()[1]), true));
        figure(
                "Seconds over the sweep",
                "Every dot a picture, in the order they were drawn"
                        + (rows.rows().size() > MOST_DOTS ? "; " + MOST_DOTS + " of them." : "."),
                Chart.lines("row", "seconds", List.of(new Chart.Series("row", dots(), false)), true));
    }

    private void bars(int measure, Map<String, List<Rows.Row>> groups) {
        List<Chart.Bar> bars = new ArrayList<>();
        groups.forEach((name, group) -> {
            double median = median(group, row -> row.likeness()[measure]);
            if (Double.isFinite(median) && bars.size() < MOST_BARS)
                bars.add(new Chart.Bar(name, new double[] {median}));
        });
        figure(
                "Likeness to the reference: " + MEASURES.get(measure),
                "Medians over prompts and seeds.",
                Chart.bars(MEASURES.get(measure), List.of(MEASURES.get(measure)), bars));
    }

    private List<Chart.Bar> timeBars(Map<String, List<Rows.Row>> groups) {
        List<Chart.Bar> bars = new ArrayList<>();
        groups.forEach((name, group) -> {
            double[] parts = new double[PHASES.size()];
            for (int p = 0; p < parts.length; p++) {
                int phase = p;
                parts[p] = median(group, row -> row.seconds()[phase]);
            }
            if (Double.isFinite(parts[0]) && bars.size() < MOST_BARS) bars.add(new Chart.Bar(name, parts));
        });
        return bars;
    }

    /** Rows by their settings, in words. */
    private Map<String, List<Rows.Row>> grouped(List<String> settings) {
        return rows.rows().stream()
                .collect(Collectors.groupingBy(
                        row -> settings.isEmpty() ? "all" : Rows.caption(row, settings),
                        LinkedHashMap::new,
                        Collectors.toList()));
    }

    /** A line for each sampler, or for each value of the first setting that is no number. */
    private List<Chart.Series> lines(String x, List<String> settings, ToDoubleFunction<Rows.Row> y) {
        String by = settings.stream()
                .filter(name -> !name.equals(x))
                .filter(name ->
                        name.equals("sampler") || !rows.values(name).stream().allMatch(Rows::isNumber))
                .findFirst()
                .orElse("");
        List<Chart.Series> series = new ArrayList<>();
        for (String value : by.isEmpty() ? List.of("") : rows.values(by)) {
            List<double[]> points = new ArrayList<>();
            for (String at : rows.values(x)) {
                double median = median(
                        rows.rows().stream()
                                .filter(row -> row.get(x).equals(at)
                                        && (by.isEmpty() || row.get(by).equals(value)))
                                .toList(),
                        y);
                if (Double.isFinite(median)) points.add(new double[] {Double.parseDouble(at), median});
            }
            series.add(new Chart.Series(by.isEmpty() ? "median" : value, points, true));
        }
        return series;
    }

    private List<double[]> dots() {
        List<double[]> dots = new ArrayList<>();
        int every = Math.max(1, (rows.rows().size() + MOST_DOTS - 1) / MOST_DOTS);
        for (int i = 0; i < rows.rows().size(); i += every) {
            double total = rows.rows().get(i).total();
            if (Double.isFinite(total)) dots.add(new double[] {i, total});
        }
        return dots;
    }

    /** Over those that are numbers; NaN over none. The first picture of a run, which takes longer, does not show in it. */
    private static double median(List<Rows.Row> rows, ToDoubleFunction<Rows.Row> of) {
        double[] values =
                rows.stream().mapToDouble(of).filter(Double::isFinite).sorted().toArray();
        if (values.length == 0) return Double.NaN;
        return (values[(values.length - 1) / 2] + values[values.length / 2]) / 2;
    }

    private void figure(String title, String words, String svg) {
        html.append("<figure><h2>").append(Chart.escape(title)).append("</h2><p>");
        html.append(Chart.escape(words)).append("</p>").append(svg).append("</figure>\n");
    }

    private void pictures(Sheet sheet) throws IOException {
        html.append("<h2>Pictures</h2>\n");
        if (rows.pictures().size() < rows.rows().size())
            html.append("<p>The first ").append(rows.pictures().size()).append("; all are in the table.</p>\n");
        html.append("<div class='sheet'>\n");
        for (Sheet.Line line : sheet.lines()) {
            if (!line.prompt().isEmpty())
                html.append("<h3>").append(Chart.escape(line.prompt())).append("</h3>\n");
            html.append("<div class='line'>");
            if (!line.caption().isEmpty())
                html.append("<span class='caption'>")
                        .append(Chart.escape(line.caption()).replace(" · ", "<br>"))
                        .append("</span>");
            for (Sheet.Tile tile : line.tiles()) tile(tile);
            html.append("</div>\n");
        }
        html.append("</div>\n");
    }

    private void tile(Sheet.Tile tile) throws IOException {
        String title =
                Chart.escape("row " + tile.row().row() + ": " + tile.row().settings());
        html.append("<div class='tile' title='").append(title).append("'>");
        if (tile.png() == null) html.append("<div class='none'>error</div>");
        else {
            BufferedImage small =
                    Thumbnail.of(Image.read(tile.png(), "row " + tile.row().row()), TILE);
            html.append("<img alt='")
                    .append(title)
                    .append("' src='")
                    .append(Thumbnail.dataUri(small))
                    .append("'>");
        }
        html.append("<span>").append(Chart.escape(tile.caption())).append("</span></div>");
    }

    private void errors() {
        List<Rows.Row> failed =
                rows.rows().stream().filter(row -> !row.error().isEmpty()).toList();
        if (failed.isEmpty()) return;
        html.append("<h2 id='errors'>Errors</h2>\n<table><tr><th>row<th>prompt<th>error\n");
        for (Rows.Row row : failed.subList(0, Math.min(MOST_ERRORS, failed.size())))
            html.append("<tr><td>")
                    .append(row.row())
                    .append("<td>")
                    .append(Chart.escape(row.get("prompt")))
                    .append("<td>")
                    .append(Chart.escape(row.error()))
                    .append('\n');
        html.append("</table>\n");
        if (failed.size() > MOST_ERRORS)
            html.append("<p>And ").append(failed.size() - MOST_ERRORS).append(" more.</p>\n");
    }

    private void manifest() {
        html.append("<h2>How they came about</h2>\n<table>\n");
        new TreeMap<>(rows.manifest().entries()).forEach((key, value) -> html.append("<tr><th>")
                .append(Chart.escape(key.replaceFirst("^gyre\\.", "").replace('_', ' ')))
                .append("<td>")
                .append(Chart.escape(value))
                .append('\n'));
        html.append("</table>\n");
    }

    private static final String STYLE =
            """
            :root { color-scheme: light dark; --ink: #222; --pale: #777; --rule: #ddd; --ground: #fff; }
            @media (prefers-color-scheme: dark) { :root { --ink: #ddd; --pale: #999; --rule: #444; --ground: #181818; } }
            body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
            main { max-width: 1200px; margin: 0 auto; padding: 32px 24px 64px; }
            h1 { margin: 0; font-size: 28px; } h2 { font-size: 18px; margin: 32px 0 4px; } h3 { font-size: 15px; margin: 20px 0 6px; }
            .lead { color: var(--pale); margin: 4px 0 8px; }
            figure { display: inline-block; vertical-align: top; margin: 0 24px 0 0; } figure p { color: var(--pale); margin: 0 0 8px; font-size: 13px; }
            figure h2 { margin-top: 24px; } svg { max-width: 100%; height: auto; }
            .axis { font-size: 12px; fill: var(--pale); } .grid { stroke: var(--rule); fill: none; } .line { fill: none; }
            path.line { stroke-width: 2; }
            .s0 { fill: #4269d0; stroke: #4269d0; } .s1 { fill: #efb118; stroke: #efb118; } .s2 { fill: #3ca951; stroke: #3ca951; }
            .s3 { fill: #ff725c; stroke: #ff725c; } .s4 { fill: #a463f2; stroke: #a463f2; } .s5 { fill: #6cc5b0; stroke: #6cc5b0; }
            .s6 { fill: #97bbf5; stroke: #97bbf5; } .s7 { fill: #9c6b4e; stroke: #9c6b4e; }
            rect, circle { stroke: none !important; } path.line { fill: none !important; }
            .sheet { overflow-x: auto; } div.line { display: flex; gap: 6px; margin-bottom: 8px; }
            .caption { flex: 0 0 130px; font-size: 13px; } .tile { flex: 0 0 128px; font-size: 11px; color: var(--pale); line-height: 1.3; }
            .tile img { display: block; max-width: 128px; max-height: 128px; margin-bottom: 2px; } .tile span { display: block; overflow-wrap: anywhere; }
            .none { height: 126px; border: 1px dashed var(--pale); display: grid; place-items: center; margin-bottom: 2px; }
            table { border-collapse: collapse; font-size: 13px; } th { text-align: left; font-weight: 600; vertical-align: top; }
            td, th { padding: 3px 16px 3px 0; border-bottom: 1px solid var(--rule); overflow-wrap: anywhere; }
            """;
}
