package dev.gyre.cli;

import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.noise.NoiseSource;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.diffusion.sampler.Schedule;
import dev.gyre.nn.check.DeviceCheck;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
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
        customSynopsis = {"gyre [OPTION…] \"PROMPT\"", "   or: gyre COMMAND [OPTION…]"},
        footerHeading = "%nFor example:%n",
        footer = {
            "  gyre \"a red circle on a blue background\" --seed 7 --batch 4",
            "  gyre \"a yellow star\" --image circle.png --strength 0.6",
            "  gyre \"a horse on the moon\" -m v1-5-pruned.safetensors --size 512x768",
            "",
            "In brackets: what holds where an option is not given. gyre COMMAND --help has a command's options."
        },
        mixinStandardHelpOptions = true,
        versionProvider = GyreCommand.Version.class,
        sortOptions = false,
        subcommands = {
            Remake.class,
            Inspect.class,
            SweepCommand.class,
            GraphCommand.class,
            MergeCommand.class,
            SynthCommand.class,
            BenchCommand.class,
            DevicesCommand.class,
            CheckCommand.class,
            ServeCommand.class
        })
final class GyreCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(arity = "0..1", paramLabel = "PROMPT", description = "What should be seen, in quotes.")
    private String prompt;

    @ArgGroup(validate = false, heading = "%nThe picture:%n")
    private ResultOptions result = new ResultOptions();

    @ArgGroup(validate = false, heading = "%nThe prompt:%n")
    private TextOptions text = new TextOptions();

    @ArgGroup(validate = false, heading = "%nHow the noise is taken away:%n")
    private SamplingOptions sampling = new SamplingOptions();

    @ArgGroup(validate = false, heading = "%nWhere the noise comes from:%n")
    private NoiseOptions noise = new NoiseOptions();

    @ArgGroup(validate = false, heading = "%nA picture to begin with, and a second pass:%n")
    private PictureOptions picture = new PictureOptions();

    @ArgGroup(validate = false, heading = "%nWhat is added to the networks:%n")
    private NetworkOptions additions = new NetworkOptions();

    @ArgGroup(validate = false, heading = "%nWatching:%n")
    private PreviewOptions preview = new PreviewOptions();

    @ArgGroup(validate = false, heading = "%nThe model and the machine:%n")
    private MachineOptions machine = new MachineOptions();

    @Mixin
    private BackendOptions where;

    @Option(
            names = "--check",
            description = "With --backend tornado: first hold the device's kernels against their plain loops.")
    private boolean check;

    private static final class ResultOptions {
        @Option(
                names = {"-o", "--output"},
                paramLabel = "FILE",
                description = "The PNG to write; a batch gets -1, -2, … before the ending (prompt and seed).")
        private Path output;

        @Option(
                names = "--size",
                paramLabel = "WxH",
                description = "Width and height in pixels, multiples of 8 (512x512; with the embedded model 128x128;"
                        + " with --image the picture's own).")
        private String size;

        @Option(names = "--batch", paramLabel = "N", description = "How many pictures (1).")
        private int batch = 1;

        @Option(
                names = "--seed",
                paramLabel = "N",
                description = "The same seed draws the same picture again; picture i of a batch has seed + i (random).")
        private Long seed;

        Request to(Request request) {
            request = request.batch(batch)
                    .seed(seed != null ? seed : ThreadLocalRandom.current().nextLong(1L << 32));
            if (size == null) return request;
            Request.Size sides = Request.Size.parse(size);
            return request.size(sides.width(), sides.height());
        }
    }

    private static final class TextOptions {
        @Option(
                names = {"-n", "--negative"},
                paramLabel = "PROMPT",
                description = "What should not be seen.")
        private String negative = "";

        @Option(
                names = "--clip-skip",
                paramLabel = "N",
                description = "Listen to the text encoder's Nth layer from the last (1).")
        private int clipSkip = 1;

        @Option(
                names = "--plain-prompt",
                description =
                        "Take the prompts as they stand, cut at 75 tokens, as diffusers does; else (word:1.3), [from:to:0.5],"
                                + " [a|b] and BREAK mean what they mean in AUTOMATIC1111.")
        private boolean plain;

        Request to(Request request) {
            return request.with(
                    request.text().negative(negative).clipSkip(clipSkip).plain(plain));
        }
    }

    private static final class SamplingOptions {
        @Option(
                names = "--sampler",
                paramLabel = "NAME",
                description =
                        "ddim, plms, lms, euler, euler_a, heun, dpm2, dpm2_a, dpm++2s_a, dpm++2m, dpm++sde, dpm++2m_sde,"
                                + " dpm++3m_sde, unipc, lcm or ddpm, or another tool's name for it (ddim).")
        private String sampler = "ddim";

        @Option(
                names = "--schedule",
                paramLabel = "NAME",
                description =
                        "leading, linspace, discrete, time_uniform, trailing, karras, karras_whole, exponential or lcm"
                                + " (the sampler's own).")
        private String schedule;

        @Option(names = "--steps", paramLabel = "N", description = "Steps of the sampler (50; embedded model 20).")
        private Integer steps;

        @Option(
                names = "--guidance",
                paramLabel = "SCALE",
                description = "How much the prompt counts; 1 is off and twice as fast (7.5; embedded model 5).")
        private Double guidance;

        @Option(
                names = "--guided",
                paramLabel = "FROM-TO",
                description = "The part of the steps that guidance is on for, as in 0.2-0.8 (all).")
        private String guided;

        @Option(
                names = "--eta",
                paramLabel = "0..1",
                description = "How much noise the sampler takes on its way, where it takes any (ddim 0, the others 1).")
        private Double eta;

        Request to(Request request) {
            Sampler chosen = Sampler.named(sampler);
            if (schedule != null) chosen = chosen.on(Schedule.named(schedule));
            if (eta != null) chosen = chosen.noisy(eta);
            request = request.sampler(chosen);
            if (steps != null) request = request.steps(steps);
            if (guidance != null) request = request.guidance(guidance);
            return guided == null ? request : request.with(request.sampling().guided(Request.StepRange.parse(guided)));
        }
    }

    private static final class NoiseOptions {
        @Option(
                names = "--noise",
                paramLabel = "SOURCE",
                description =
                        "Whose numbers a seed stands for: cpu (diffusers on a CPU, ComfyUI) or cuda (AUTOMATIC1111,"
                                + " stable-diffusion.cpp, diffusers on a GPU) (cpu).")
        private String source = "cpu";

        @Option(
                names = "--variation",
                paramLabel = "SEED:STRENGTH",
                description =
                        "Turn the noise towards another seed's, as in 7:0.2; picture i of a batch has that seed + i.")
        private String variation;

        @Option(
                names = "--step-seed-delta",
                paramLabel = "N",
                description =
                        "Steps take the noise of seed + N, AUTOMATIC1111's ENSD (go on where the first noise ended).")
        private long delta;

        Request to(Request request) {
            Request.Noise noise =
                    request.noise().source(NoiseSource.named(source)).stepSeedDelta(delta);
            return request.with(variation == null ? noise : noise.variation(Request.Variation.parse(variation)));
        }
    }

    private static final class PreviewOptions {
        @Option(
                names = "--preview-every",
                paramLabel = "N",
                description = "Every N steps write how the picture looks, to the output's name with .preview (never).")
        private int every;

        @Option(
                names = "--preview",
                paramLabel = "HOW",
                description = "quick: a pixel for each latent, at no cost; decoded: at full size (quick).")
        private String how;

        PictureWriter.Previews previews() {
            if (how == null) how = "quick";
            else if (every == 0)
                throw new IllegalArgumentException("preview: goes with --preview-every, which is missing");
            if (every < 0) throw new IllegalArgumentException("preview-every: at least 1, got " + every);
            if (!how.equals("quick") && !how.equals("decoded"))
                throw new IllegalArgumentException("preview: quick or decoded, got " + how);
            return new PictureWriter.Previews(every, how.equals("decoded"));
        }
    }

    /** From the jar's manifest. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = GyreCommand.class.getPackage().getImplementationVersion();
            return new String[] {"gyre " + (version == null ? "(not from a jar)" : version)};
        }
    }

    /** Ends the JVM with the command's status, 0 when all went well. */
    static void run(String[] args) {
        System.exit(commandLine().execute(args));
    }

    static CommandLine commandLine() {
        CommandLine line = new CommandLine(new GyreCommand());
        line.setExecutionExceptionHandler((e, command, parsed) -> {
            boolean expected = e instanceof IOException
                    || e instanceof IllegalArgumentException
                    || e instanceof ArithmeticException
                    || e instanceof UnsupportedOperationException;
            command.getErr().println("gyre: " + (expected ? e.getMessage() : "unexpected: " + e));
            if (!expected) e.printStackTrace(command.getErr());
            return 1;
        });
        line.setParameterExceptionHandler((e, arguments) -> {
            CommandLine command = e.getCommandLine();
            command.getErr().println("gyre: " + UsageErrors.sentence(e));
            command.getErr().println("(" + command.getCommandSpec().qualifiedName() + " --help lists what there is)");
            return 2;
        });
        UsageErrors.numbers(line);
        return line;
    }

    @Override
    public Integer call() throws IOException {
        if (prompt == null) {
            spec.commandLine().usage(spec.commandLine().getErr());
            return 2;
        }
        machine.check(spec, where);
        if (check && !where.tornado()) throw MachineOptions.usage(spec, "--check needs --backend tornado");
        Request request = request();
        PictureWriter writer = new PictureWriter(spec.commandLine().getErr(), result.output, result.batch, previews());
        if (check) check(writer);
        // The model first: it reads the files that are added.
        try (NetworkOptions files = additions;
                Tracing tracing = machine.tracing();
                StableDiffusion sd = machine.load(writer, where, tracing)) {
            files.teach(sd, request.network(), writer);
            writer.draw(sd, request, tracing);
        }
        return 0;
    }

    /** Draws nothing on a device that is wrong. */
    private void check(Console console) {
        List<DeviceCheck.Row> bad = DeviceCheck.run(where.options(), name -> true, row -> {}).stream()
                .filter(row -> !row.passed())
                .toList();
        if (!bad.isEmpty())
            throw new IllegalArgumentException("this device is wrong in " + bad.size() + " cases, first "
                    + bad.getFirst().name() + " with kernels " + bad.getFirst().kernels() + "; see gyre check");
        console.line("the device's kernels agree with their plain loops");
    }

    private Request request() throws IOException {
        try {
            Request request = text.to(result.to(Request.of(prompt)));
            request = request.with(additions.network(request.text()));
            return picture.to(noise.to(sampling.to(request)));
        } catch (IllegalArgumentException e) {
            throw usage(e);
        }
    }

    private PictureWriter.Previews previews() {
        try {
            return preview.previews();
        } catch (IllegalArgumentException e) {
            throw usage(e);
        }
    }

    /** A message that begins with an option's name says so. */
    private ParameterException usage(IllegalArgumentException e) {
        String message = e.getMessage(), option = "--" + message.split(":", 2)[0];
        return MachineOptions.usage(spec, spec.findOption(option) == null ? message : "--" + message);
    }
}
