package dev.gyre.bench;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gyre.core.Precision;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.core.profile.Environment;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;

/**
 * Measures every figure that the documentation gives and writes it there: a Markdown file names a table by
 * {@code <!-- figures: NAME -->}, and what follows up to {@code <!-- end of figures -->} is replaced. {@code bench/figures.sh} builds
 * what this needs and starts it.
 *
 * <pre>
 *   --files A.md,B.md   files to write to
 *   --gyre FILE         the launcher (./gyre)
 *   --revision TEXT     what is measured
 *   --model FILE        a full-size checkpoint, or {@code embedded}
 *   --size WxH          of the image in pixels (512x512; embedded 128x128)
 *   --steps N           guided steps to time in one run (5)
 *   --runs N            process starts and images to time (5)
 *   --python PYTHON     a Python with torch and diffusers
 *   --skip A,B          parts to leave out: model, start, savings, peers
 *   and those of {@link Peers}: --only, --types, --threads, --seconds
 * </pre>
 */
public final class Figures {
    private static final String END = "<!-- end of figures -->";
    private static final Pattern BEGIN = Pattern.compile("<!-- figures: ([a-z-]+) -->\n");
    private static final Pattern DENOISE = Pattern.compile("denoise ([0-9.]+) s");
    private static final List<String> PROMPTS =
            List.of("a red circle on a blue background", "a green heart and a purple square on a white background");

    /** Images of a prompt: so that their time is long enough to be read off what {@code gyre} prints. */
    private static final int BATCH = 4;

    /** What trades exactness for speed or memory, as options. */
    private static final List<List<String>> SAVINGS = List.of(
            List.of("--type", "q8_0"),
            List.of("--deepcache", "2"),
            List.of("--deepcache", "3"),
            List.of("--deepcache", "3:2"),
            List.of("--deepcache", "5"));

    private final Map<String, String> options;
    private final String gyre;
    private final boolean embedded;
    private final String size;
    private final int runs;
    private final int threads;

    /** Name to Markdown. */
    private final Map<String, String> sections = new TreeMap<>();

    private final Table environment = new Table("", " ");
    private final List<String> peers = new ArrayList<>();

    private Figures(Map<String, String> options) {
        this.options = options;
        gyre = options.getOrDefault("gyre", "./gyre");
        embedded = options.getOrDefault("model", "embedded").equals("embedded");
        size = options.getOrDefault("size", embedded ? "128x128" : "512x512");
        runs = Integer.parseInt(options.getOrDefault("runs", "5"));
        threads =
                Integer.parseInt(options.getOrDefault("threads", String.valueOf(JvmBackend.Options.DEFAULT.threads())));
    }

    /** Runs with the options that the class tells. */
    public static void main(String[] args) throws IOException, InterruptedException {
        Figures figures = new Figures(Peers.options(args));
        figures.measure();
        for (String file : figures.options.getOrDefault("files", "").split(","))
            if (!file.isEmpty()) figures.write(Path.of(file));
    }

    private void measure() throws IOException, InterruptedException {
        environment.add("date", LocalDate.now().toString());
        environment.add("Gyre", options.getOrDefault("revision", "unknown revision"));
        environment.add("processor", Environment.processor());
        environment.add("threads", String.valueOf(threads));
        environment.add("system", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        environment.add("JDK", System.getProperty("java.runtime.version"));
        environment.add(
                "model", embedded ? "embedded" : Path.of(options.get("model")).getFileName());
        environment.add("image", size + ", with guidance");
        List<String> skipped = List.of(options.getOrDefault("skip", "").split(","));
        Map<String, Part> parts = new LinkedHashMap<>();
        parts.put("model", this::model);
        parts.put("start", this::start);
        parts.put("savings", this::savings);
        parts.put("peers", this::peers);
        for (Map.Entry<String, Part> part : parts.entrySet())
            if (!skipped.contains(part.getKey())) {
                System.err.println("figures: " + part.getKey());
                part.getValue().run();
            }
        sections.put("environment", environment.as("md"));
        String summary = Optional.ofNullable(sections.get("peers")).orElse(sections.get("model"));
        if (summary != null)
            sections.put(
                    "summary",
                    summary + "\n" + LocalDate.now() + ", " + threads + " threads of " + Environment.processor()
                            + ", JDK "
                            + System.getProperty("java.runtime.version")
                            + peers.stream().map(name -> ", " + name).collect(Collectors.joining()) + ".\n");
    }

    private interface Part {
        void run() throws IOException, InterruptedException;
    }

    /** Times of the model's parts, memory, and where a step's and a decoding's time goes; each precision in a process of its own. */
    private void model() throws IOException, InterruptedException {
        Table times = new Table(
                "precision", "load s", "text s", "first step s", "step s", "±", "decode s", "± ", "step GFLOP/s");
        Table memory = new Table(
                "precision", "weights in the file", "packed weights MiB", "working memory MiB", "resident MiB");
        StringBuilder profiles = new StringBuilder();
        for (String precision : List.of("f32", "bf16")) {
            Optional<String> refusal = Precision.named(precision).refusal();
            if (refusal.isPresent()) {
                environment.add(precision, "not measured: " + refusal.get());
                continue;
            }
            List<String> command = new ArrayList<>(List.of("bench", "--output", "json", "--profile", "--size", size));
            command.addAll(List.of("--precision", precision, "--threads", String.valueOf(threads)));
            command.addAll(List.of("--steps", options.getOrDefault("steps", "5")));
            if (!embedded) command.addAll(List.of("--model", options.get("model")));
            Ran ran = gyre(command);
            if (ran.status != 0) throw new IOException("gyre " + String.join(" ", command) + ": " + ran.lastLine());
            List<JsonNode> tables = tables(ran.output);
            JsonNode row = tables.getFirst().get(0);
            times.add(Stream.concat(
                            Stream.of(precision),
                            Stream.of(
                                            "load s",
                                            "text s",
                                            "first step s",
                                            "s/step",
                                            "±",
                                            "decode s",
                                            "decode ±",
                                            "GFLOP/s")
                                    .map(name -> row.get(name).asDouble()))
                    .toArray());
            memory.add(
                    precision,
                    row.get("weights").asText(),
                    row.get("packed MiB").asLong(),
                    row.get("planned MiB").asLong(),
                    row.get("resident MiB").asLong());
            profiles.append("One step, ").append(precision).append(":\n\n").append(profile(tables.get(1)));
            profiles.append("\nOne decoding, ")
                    .append(precision)
                    .append(":\n\n")
                    .append(profile(tables.get(2)))
                    .append('\n');
        }
        sections.put("model", times.as("md"));
        sections.put("memory", memory.as("md"));
        sections.put("profile", profiles.toString().stripTrailing() + "\n");
    }

    /** The arrays that {@code gyre bench --output json} printed one after the other. */
    private static List<JsonNode> tables(String json) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        List<JsonNode> tables = new ArrayList<>();
        try (JsonParser parser = mapper.createParser(json)) {
            for (JsonNode table = mapper.readTree(parser); table != null; table = mapper.readTree(parser))
                tables.add(table);
        }
        return tables;
    }

    /** The ops that take a hundredth of the time or more. */
    private static String profile(JsonNode rows) {
        Table table = new Table("op", "calls", "ms", "share %", "GFLOP/s", "GB/s");
        for (JsonNode row : rows) {
            if (row.get("share %").asDouble() < 1) continue;
            JsonNode rate = row.get("GFLOP/s");
            table.add(
                    row.get("op").asText(),
                    row.get("calls").asLong(),
                    row.get("ms").asDouble(),
                    row.get("share %").asDouble(),
                    rate.isNumber() ? (Object) rate.asDouble() : null,
                    row.get("GB/s").asDouble());
        }
        return table.as("md");
    }

    /** From the command to the file, with the embedded model. */
    private void start() throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("figures");
        double[] seconds = new double[runs];
        for (int run = 0; run < runs; run++) {
            long begin = System.nanoTime();
            draw(PROMPTS.getFirst(), List.of(), folder.resolve("start.png"));
            seconds[run] = (System.nanoTime() - begin) / 1e9;
        }
        Arrays.sort(seconds);
        Table table = new Table("command", "runs", "median s", "least s", "most s");
        table.add(
                "`./gyre \"" + PROMPTS.getFirst() + "\"`",
                runs,
                ModelBench.median(seconds),
                seconds[0],
                seconds[runs - 1]);
        sections.put("start", table.as("md"));
    }

    /** Denoising times, and how far pixels are from those of the image without. */
    private void savings() throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("figures");
        Table table = new Table("option", "denoise s", "of the time without", "mean difference", "largest");
        double exact = fastest(List.of(), folder.resolve("exact"));
        table.add("none", exact, 1.0, 0.0, 0);
        for (List<String> saving : SAVINGS) {
            double seconds = fastest(saving, folder.resolve("other"));
            double sum = 0;
            int largest = 0, images = PROMPTS.size() * BATCH;
            for (int i = 0; i < images; i++) {
                String name = i / BATCH + "-" + (i % BATCH + 1) + ".png";
                int[] differences = differences(folder.resolve("exact" + name), folder.resolve("other" + name));
                sum += Arrays.stream(differences).average().orElseThrow();
                largest = Math.max(largest, Arrays.stream(differences).max().orElseThrow());
            }
            table.add("`" + String.join(" ", saving) + "`", seconds, seconds / exact, sum / images, largest);
        }
        sections.put("savings", table.as("md"));
    }

    /** Seconds of denoising all prompts' images, of each prompt's the least of a few runs. */
    private double fastest(List<String> options, Path images) throws IOException, InterruptedException {
        double sum = 0;
        for (int i = 0; i < PROMPTS.size(); i++) {
            double least = Double.POSITIVE_INFINITY;
            for (int run = 0; run < runs; run++) {
                List<String> all = new ArrayList<>(List.of("--batch", String.valueOf(BATCH)));
                all.addAll(options);
                Matcher time = DENOISE.matcher(draw(PROMPTS.get(i), all, Path.of(images + "" + i + ".png")));
                if (!time.find()) throw new IOException("gyre printed no time of denoising");
                least = Math.min(least, Double.parseDouble(time.group(1)));
            }
            sum += least;
        }
        return sum;
    }

    /** What gyre printed. */
    private String draw(String prompt, List<String> options, Path image) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(prompt, "--seed", "1", "--output", image.toString()));
        command.addAll(options);
        Ran ran = gyre(command);
        if (ran.status != 0) throw new IOException("gyre " + String.join(" ", command) + ": " + ran.lastLine());
        return ran.output + ran.errors;
    }

    /** Of each colour of each pixel, 0 to 255. */
    private static int[] differences(Path one, Path other) throws IOException {
        BufferedImage a = ImageIO.read(one.toFile()), b = ImageIO.read(other.toFile());
        int width = a.getWidth(), height = a.getHeight();
        int[] left = a.getRaster().getPixels(0, 0, width, height, (int[]) null);
        int[] right = b.getRaster().getPixels(0, 0, width, height, (int[]) null);
        return IntStream.range(0, left.length)
                .map(i -> Math.abs(left[i] - right[i]))
                .toArray();
    }

    /** Gyre beside its peers: the whole model, means over shapes, and every shape. */
    private void peers() throws IOException {
        Map<String, String> chosen = new LinkedHashMap<>(options);
        if (embedded) chosen.remove("model");
        if (options.containsKey("python"))
            try (PythonPeer peer = new PythonPeer(options.get("python"), threads)) {
                chosen.put("peer-python", options.get("python"));
            } catch (IOException e) {
                environment.add("peer", "left out: " + e.getMessage());
            }
        chosen.putIfAbsent("types", Precision.BF16.refusal().isEmpty() ? "fp32,bf16" : "fp32");
        Peers peers = new Peers(chosen);
        List<Peers.Row> rows = peers.measure();
        this.peers.addAll(peers.names());
        peers.names().forEach(name -> environment.add("peer", name));
        Table whole = new Table("work", "type", "peer", "Gyre s", "peer s", "peer / Gyre");
        Table shapes = new Table("work", "type", "peer", "Gyre ms", "Gyre GFLOP/s", "peer ms", "peer / Gyre");
        for (Peers.Row row : rows)
            if (row.isPart()) whole.add(row.part(), row.type(), row.peer(), row.ours(), row.theirs(), row.ratio());
            else
                shapes.add(
                        row.work(),
                        row.type(),
                        row.peer(),
                        row.ours() * 1e3,
                        row.gflops(),
                        row.theirs() * 1e3,
                        row.ratio());
        Table means = Peers.means(rows.stream().filter(row -> !row.isPart()).toList());
        if (!whole.isEmpty()) sections.put("peers", whole.as("md"));
        if (!shapes.isEmpty()) sections.put("means", means.as("md"));
        if (!shapes.isEmpty()) sections.put("shapes", shapes.as("md"));
    }

    private record Ran(int status, String output, String errors) {
        String lastLine() {
            return errors.strip().lines().reduce("", (before, line) -> line);
        }
    }

    private Ran gyre(List<String> arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(gyre));
        command.addAll(arguments);
        Path output = Files.createTempFile("figures", ".out"), errors = Files.createTempFile("figures", ".err");
        try {
            int status = new ProcessBuilder(command)
                    .redirectOutput(output.toFile())
                    .redirectError(errors.toFile())
                    .start()
                    .waitFor();
            return new Ran(status, Files.readString(output), Files.readString(errors));
        } finally {
            Files.delete(output);
            Files.delete(errors);
        }
    }

    /** Replaces what the file has between the markers of each section. */
    private void write(Path file) throws IOException {
        String text = Files.readString(file);
        StringBuilder result = new StringBuilder();
        Matcher begin = BEGIN.matcher(text);
        int from = 0;
        while (begin.find(from)) {
            int end = text.indexOf(END, begin.end());
            if (end < 0)
                throw new IOException(
                        file + ": no \"" + END + "\" after " + begin.group().strip());
            result.append(text, from, begin.end());
            result.append('\n')
                    .append(sections.getOrDefault(begin.group(1), "Not measured in this run.\n"))
                    .append('\n');
            from = end;
        }
        Files.writeString(file, result.append(text.substring(from)));
        System.err.println("figures: written to " + file);
    }
}
