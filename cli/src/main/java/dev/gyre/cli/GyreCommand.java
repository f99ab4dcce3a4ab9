package dev.gyre.cli;

import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.settings.Setting;
import dev.gyre.diffusion.settings.Settings;
import dev.gyre.nn.check.DeviceCheck;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
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
        description = "Generates images with Stable Diffusion v1 models.",
        customSynopsis = {"gyre [OPTION…] \"PROMPT\"", "   or: gyre COMMAND [OPTION…]"},
        footerHeading = "%nFor example:%n",
        footer = {
            "  gyre \"a red circle on a blue background\" --seed 7 --batch 4",
            "  gyre \"a yellow star\" --image circle.png --strength 0.6",
            "  gyre \"a horse on the moon\" -m v1-5-pruned.safetensors --size 512x768",
            "",
            "gyre COMMAND --help lists a command's options. gyre settings explains all settings.",
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
            ServeCommand.class,
            SettingsCommand.class,
            CompletionCommand.class
        })
final class GyreCommand implements Callable<Integer> {
    /** The order of sections; those of the settings come first, the backend's last. */
    private static final int PREVIEW = 100, MACHINE = 101;

    @Spec
    private CommandSpec spec;

    @Parameters(arity = "0..1", paramLabel = "PROMPT", description = "What the picture is to show, in quotes.")
    private String prompt;

    private final SettingOptions settings = new SettingOptions(setting -> true);
    private final OutputOptions output = new OutputOptions();
    private final InitImageOptions initImage = new InitImageOptions();
    private final NetworkOptions additions = new NetworkOptions();

    @ArgGroup(validate = false, order = PREVIEW, heading = "%nPreview:%n")
    private PreviewOptions preview = new PreviewOptions();

    @ArgGroup(validate = false, order = MACHINE, heading = "%nModel and processor:%n")
    private MachineOptions machine = new MachineOptions();

    @Mixin
    private BackendOptions where;

    @Option(
            names = "--check",
            description = "With --backend tornado: check the device's kernels against the reference loops first.")
    private boolean check;

    private static final class OutputOptions {
        @Option(
                names = {"-o", "--output"},
                paramLabel = "FILE",
                description = "PNG to write; a batch adds -1, -2, … to its name. (default: prompt and seed)")
        private Path file;
    }

    private static final class PreviewOptions {
        @Option(
                names = "--preview-interval",
                paramLabel = "N",
                description = "Write a preview every N steps, to the output's name with .preview. (default: never)")
        private int interval;

        @Option(
                names = "--preview",
                paramLabel = "METHOD",
                description =
                        "proj: latents projected to colours, one pixel each, at no cost; vae: decoded, at full size."
                                + " (default: proj)")
        private String method;

        PictureWriter.Previews previews() {
            if (method == null) method = "proj";
            else if (interval == 0)
                throw new IllegalArgumentException("preview: goes with --preview-interval, which is missing");
            if (interval < 0) throw new IllegalArgumentException("preview-interval: at least 1, got " + interval);
            if (!method.equals("proj") && !method.equals("vae"))
                throw new IllegalArgumentException("preview: proj or vae, got " + method);
            return new PictureWriter.Previews(interval, method.equals("vae"));
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
        GyreCommand gyre = new GyreCommand();
        CommandLine line = new CommandLine(gyre);
        gyre.addOptions(line.getCommandSpec());
        CommandLine serve = line.getSubcommands().get("serve");
        ((ServeCommand) serve.getCommand()).addOptions(serve.getCommandSpec());
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

    private void addOptions(CommandSpec spec) {
        settings.addSections(
                spec,
                Map.of(
                        Setting.Group.IMAGE, output,
                        Setting.Group.INIT_IMAGE, initImage,
                        Setting.Group.NETWORKS, additions));
        List<String> footer = new ArrayList<>(List.of(spec.usageMessage().footer()));
        footer.add(settings.otherNames());
        spec.usageMessage().footer(footer.toArray(String[]::new));
    }

    @Override
    public Integer call() throws IOException {
        Optional<String> named = namedPrompt();
        if (named.isPresent() && prompt != null) throw MachineOptions.usage(spec, "the prompt is given twice");
        if (named.isEmpty() && prompt == null) {
            spec.commandLine().usage(spec.commandLine().getErr());
            return 2;
        }
        machine.check(spec, where);
        if (check && !where.tornado()) throw MachineOptions.usage(spec, "--check needs --backend tornado");
        Request request = request();
        PictureWriter writer = new PictureWriter(spec.commandLine().getErr(), output.file, request.batch(), previews());
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
            throw new IllegalArgumentException("this device computes " + bad.size() + " cases wrong, the first "
                    + bad.getFirst().name() + " with kernels " + bad.getFirst().kernels() + "; see gyre check");
        console.line("the device's kernels agree with the reference loops");
    }

    /** The prompt where it came as an option, as other tools have it. */
    private Optional<String> namedPrompt() {
        try {
            return settings.values().get(Settings.PROMPT);
        } catch (IllegalArgumentException e) {
            throw usage(e);
        }
    }

    private Request request() throws IOException {
        try {
            Request request = settings.apply(initImage.to(Request.of(prompt == null ? "" : prompt)));
            return request.with(additions.added(request));
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
