package dev.gyre.cli;

import dev.gyre.core.Backend;
import dev.gyre.core.JvmBackend;
import dev.gyre.diffusion.Checkpoint;
import dev.gyre.diffusion.Picture;
import dev.gyre.diffusion.Request;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.nn.DeviceCheck;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code gyre "a red circle on a blue background"}: draws pictures; everything else is a subcommand. */
@Command(
        name = "gyre",
        description = "Draws pictures with Stable Diffusion v1 models.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        sortOptions = false,
        subcommands = {Inspect.class, SynthCommand.class, BenchCommand.class, DevicesCommand.class, CheckCommand.class})
public final class Main implements Callable<Integer> {
    private static final int LONGEST_NAME = 60;

    @Spec
    private CommandSpec spec;

    @Parameters(arity = "0..1", paramLabel = "PROMPT", description = "What should be seen.")
    private String prompt;

    @Option(
            names = {"-m", "--model"},
            paramLabel = "FILE",
            description = "A checkpoint (.safetensors); else the small embedded model.")
    private Path model;

    @Option(
            names = {"-n", "--negative"},
            paramLabel = "PROMPT",
            defaultValue = "",
            description = "What should not be seen.")
    private String negative;

    @Option(names = "--steps", description = "Steps of the sampler (50; embedded model 20).")
    private Integer steps;

    @Option(names = "--guidance", description = "How much the prompt counts; 1 is off (7.5; embedded model 5).")
    private Double guidance;

    @Option(
            names = "--sampler",
            defaultValue = "ddim",
            description = "ddim, plms, euler or euler_a (${DEFAULT-VALUE}).")
    private String sampler;

    @Option(names = "--seed", description = "Where the noise begins; picture i of a batch has seed + i (random).")
    private Long seed;

    @Option(
            names = "--size",
            paramLabel = "WxH",
            description = "In pixels, multiples of 8 (512x512; embedded model 128x128).")
    private String size;

    @Option(names = "--batch", defaultValue = "1", description = "Number of pictures (${DEFAULT-VALUE}).")
    private int batch;

    @Option(names = "--ema", description = "Use the UNet's averaged weights, where the file has them.")
    private boolean ema;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "The PNG to write; a batch gets -1, -2, … before the ending (prompt and seed).")
    private Path output;

    @Option(names = "--threads", description = "Threads that compute (one for each processor).")
    private Integer threads;

    @Option(
            names = "--low-memory",
            description = "Read weights from the file as they are used and keep no copy of them.")
    private boolean lowMemory;

    @Mixin
    private Where where;

    @Option(names = "--check", description = "On a device: first hold its kernels against their plain loops.")
    private boolean check;

    /** From the jar's manifest. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {"gyre " + (version == null ? "(not from a jar)" : version)};
        }
    }

    public static void main(String[] args) {
        System.exit(commandLine().execute(args));
    }

    static CommandLine commandLine() {
        CommandLine line = new CommandLine(new Main());
        line.setExecutionExceptionHandler((e, command, parsed) -> {
            boolean expected = e instanceof IOException
                    || e instanceof IllegalArgumentException
                    || e instanceof ArithmeticException
                    || e instanceof UnsupportedOperationException;
            command.getErr().println("gyre: " + (expected ? e.getMessage() : "unexpected: " + e));
            if (!expected) e.printStackTrace(command.getErr());
            return 1;
        });
        return line;
    }

    @Override
    public Integer call() throws IOException {
        if (prompt == null) {
            spec.commandLine().usage(spec.commandLine().getErr());
            return 2;
        }
        where.check();
        if (check && !where.tornado()) throw usage("--check needs --backend tornado");
        if (threads != null && threads < 1) throw usage("--threads: at least 1, got " + threads);
        Request request = request();
        Path folder = output == null ? Path.of("") : output.toAbsolutePath().getParent();
        if (!Files.isDirectory(folder.toAbsolutePath()))
            throw new IOException(output + ": there is no folder " + folder);

        Writer writer = new Writer(spec.commandLine().getErr());
        if (check) check(writer);
        Checkpoint checkpoint = model == null ? Checkpoint.embedded() : Checkpoint.open(model);
        JvmBackend.Options options = JvmBackend.Options.DEFAULT.lowMemory(lowMemory);
        if (threads != null) options = options.threads(threads);
        Backend backend;
        try {
            backend = where.open(options, new DeviceConsole(writer, where.explain()), Optional.empty());
        } catch (RuntimeException | Error e) {
            checkpoint.close();
            throw e;
        }
        try (StableDiffusion sd = StableDiffusion.load(checkpoint, backend, ema)) {
            writer.line("model " + checkpoint.name() + ": " + weights(checkpoint) + "; seed "
                    + request.seed().getAsLong());
            long start = System.nanoTime();
            sd.draw(request, writer);
            if (writer.failure != null) throw writer.failure;
            writer.line(String.format(
                    Locale.ROOT,
                    "%.1f s in all (%s); %d MiB of working memory beside the weights",
                    (System.nanoTime() - start) / 1e9,
                    String.join(", ", writer.phases()),
                    sd.peakBytes() >> 20));
        }
        return 0;
    }

    /** Draws nothing on a device that is wrong. */
    private void check(Console console) {
        List<DeviceCheck.Row> bad = DeviceCheck.run(where.options(), row -> {}).stream()
                .filter(row -> !row.passed())
                .toList();
        if (!bad.isEmpty())
            throw new IllegalArgumentException("this device is wrong in " + bad.size() + " cases, first "
                    + bad.getFirst().name() + " with kernels " + bad.getFirst().kernels() + "; see gyre check");
        console.line("the device's kernels agree with their plain loops");
    }

    private String weights(Checkpoint checkpoint) {
        if (ema) return "averaged (EMA) weights";
        return checkpoint.hasEma() ? "last weights, not the averaged ones (--ema)" : "its only UNet weights";
    }

    private Request request() {
        Request request;
        try {
            request = Request.of(prompt).negative(negative).batch(batch).sampler(Sampler.named(sampler));
            if (steps != null) request = request.steps(steps);
            if (guidance != null) request = request.guidance(guidance);
            if (size != null) request = size(request);
        } catch (IllegalArgumentException e) {
            throw usage("--" + e.getMessage());
        }
        return request.seed(seed != null ? seed : ThreadLocalRandom.current().nextLong(1L << 32));
    }

    private Request size(Request request) {
        String[] sides = size.toLowerCase(Locale.ROOT).split("x");
        try {
            if (sides.length == 2) return request.size(Integer.parseInt(sides[0]), Integer.parseInt(sides[1]));
        } catch (NumberFormatException e) {
            throw usage("--size: width and height as in 512x512, got " + size);
        }
        throw usage("--size: width and height as in 512x512, got " + size);
    }

    private ParameterException usage(String problem) {
        return new ParameterException(spec.commandLine(), problem);
    }

    /** Writes every picture as soon as it is there: a later failure loses none. */
    private final class Writer extends Console {
        private IOException failure;
        private int count;

        Writer(PrintWriter out) {
            super(out);
        }

        @Override
        public void picture(Picture picture) {
            count++;
            Path path = output == null ? Path.of(name(picture)) : batch == 1 ? output : numbered(output, count);
            try {
                picture.write(path);
                line("wrote " + path + " (" + picture.width() + "x" + picture.height() + ", seed "
                        + picture.parameters().seed() + ")");
            } catch (IOException e) {
                if (failure == null) failure = e;
            }
        }
    }

    /** The prompt's words and the seed. */
    private static String name(Picture picture) {
        String words = picture.parameters()
                .prompt()
                .toLowerCase(Locale.ROOT)
                .replaceAll("[^\\p{L}\\p{N}]+", "-")
                .replaceAll("^-|-$", "");
        if (words.length() > LONGEST_NAME) words = words.substring(0, LONGEST_NAME);
        return (words.isEmpty() ? "picture" : words) + "-"
                + picture.parameters().seed() + ".png";
    }

    private static Path numbered(Path path, int number) {
        String name = path.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return path.resolveSibling(
                dot < 0 ? name + "-" + number : name.substring(0, dot) + "-" + number + name.substring(dot));
    }
}
