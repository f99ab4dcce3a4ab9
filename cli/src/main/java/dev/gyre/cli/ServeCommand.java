package dev.gyre.cli;

import dev.gyre.core.Precision;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.settings.Setting;
import dev.gyre.diffusion.settings.Settings;
import dev.gyre.server.GyreServer;
import dev.gyre.server.models.Loader;
import dev.gyre.server.options.ServerOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code gyre serve}: the service, until the process is stopped. */
@Command(
        name = "serve",
        description = "Serves models through the endpoints of OpenAI's image API, with a web page.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class ServeCommand implements Callable<Integer> {
    /** The environment variable with comma-separated keys. */
    static final String KEYS = "GYRE_API_KEYS";

    private static final String LOG_FORMAT = "java.util.logging.SimpleFormatter.format";

    @Spec
    private CommandSpec spec;

    @Option(
            names = {"-m", "--model"},
            split = ",",
            paramLabel = "FILE",
            description =
                    "Checkpoints; the first is the default, and one is loaded at a time. (default: the embedded model)")
    private List<Path> models = List.of();

    @Option(names = "--strict", description = "Refuse unknown model names instead of answering with the default model.")
    private boolean strict;

    @Option(names = "--loras", paramLabel = "FOLDER", description = "Folder of LoRA files that requests may name.")
    private Path loras;

    @ArgGroup(validate = false, heading = "%nNetwork and access:%n")
    private ListenOptions listen = new ListenOptions();

    /** The rest is each request's own; {@code --batch} is how many are drawn at once. */
    private final SettingOptions defaults = new SettingOptions(setting -> setting.isServed()
            && !List.of(Settings.PROMPT, Settings.SEED, Settings.BATCH).contains(setting));

    @ArgGroup(validate = false, heading = "%nLimits:%n")
    private LimitOptions limits = new LimitOptions();

    @ArgGroup(validate = false, heading = "%nKept pictures:%n")
    private PictureOptions pictures = new PictureOptions();

    @ArgGroup(validate = false, heading = "%nModel and processor:%n")
    private LoadOptions machine = new LoadOptions();

    @Mixin
    private BackendOptions where;

    private static final class ListenOptions {
        @Option(names = "--host", description = "Address to listen on; 0.0.0.0 is all. (default: 127.0.0.1)")
        private String host = ServerOptions.Listen.DEFAULT.host();

        @Option(names = "--port", description = "Port; 0 takes a free one. (default: 8080)")
        private int port = ServerOptions.Listen.DEFAULT.port();

        @Option(
                names = "--public-url",
                paramLabel = "URL",
                description = "Base of picture URLs. (default: the request's host)")
        private URI publicUrl;

        @Option(
                names = "--keys",
                paramLabel = "FILE",
                description =
                        "File of API keys, one a line; or GYRE_API_KEYS, comma-separated. (default: no key needed)")
        private Path keys;

        @Option(
                names = "--cors",
                split = ",",
                paramLabel = "ORIGIN",
                description = "Origins whose pages may call the API, or *. (default: none)")
        private List<String> origins = List.of();

        ServerOptions.Access access() throws IOException {
            String given = System.getenv(KEYS);
            List<String> all = new ArrayList<>(given == null ? List.of() : Arrays.asList(given.split(",")));
            if (keys != null) {
                if (!Files.isRegularFile(keys)) throw new IllegalArgumentException("--keys: there is no file " + keys);
                all.addAll(Files.readAllLines(keys));
                // An empty file is a mistake, not an open door.
                if (all.stream().allMatch(String::isBlank))
                    throw new IllegalArgumentException("--keys: there is no key in " + keys);
            }
            return new ServerOptions.Access(
                    all.stream()
                            .map(String::strip)
                            .filter(key -> !key.isEmpty())
                            .toList(),
                    origins);
        }
    }

    private static final class LimitOptions {
        @Option(
                names = "--queue",
                paramLabel = "N",
                description = "Longest queue; further requests get 429. (default: 32)")
        private int queue = ServerOptions.Limits.DEFAULT.queue();

        @Option(
                names = "--batch",
                paramLabel = "N",
                description = "Largest batch of pictures generated together. (default: 4)")
        private int batch = ServerOptions.Limits.DEFAULT.batch();

        @Option(names = "--max-pixels", paramLabel = "N", description = "Most pixels of a picture. (default: 1048576)")
        private long pixels = ServerOptions.Limits.DEFAULT.pixels();

        @Option(names = "--max-steps", paramLabel = "N", description = "Most sampling steps. (default: 150)")
        private int steps = ServerOptions.Limits.DEFAULT.steps();

        @Option(names = "--max-body", paramLabel = "MB", description = "Largest request body. (default: 50)")
        private long body = ServerOptions.Limits.DEFAULT.body() >> 20;

        @Option(
                names = "--time-limit",
                paramLabel = "SECONDS",
                description = "Longest time from request to response. (default: 600)")
        private long time = ServerOptions.Limits.DEFAULT.time().toSeconds();

        @Option(
                names = "--grace",
                paramLabel = "SECONDS",
                description = "Time to finish running requests when stopped. (default: 30)")
        private long grace = ServerOptions.Limits.DEFAULT.grace().toSeconds();

        ServerOptions.Limits limits() {
            return new ServerOptions.Limits(
                    queue,
                    batch,
                    body << 20,
                    pixels,
                    ServerOptions.Limits.DEFAULT.upload(),
                    steps,
                    Duration.ofSeconds(time),
                    Duration.ofSeconds(grace));
        }
    }

    private static final class PictureOptions {
        @Option(
                names = "--pictures",
                paramLabel = "FOLDER",
                description = "Folder to which every picture is also written. (default: none)")
        private Path folder;

        @Option(names = "--url-minutes", paramLabel = "N", description = "Lifetime of a picture's URL. (default: 60)")
        private long minutes = ServerOptions.Pictures.DEFAULT.expiry().toMinutes();

        @Option(
                names = "--url-memory",
                paramLabel = "MB",
                description = "Memory for pictures behind URLs; the oldest go first. (default: 256)")
        private long memory = ServerOptions.Pictures.DEFAULT.memory() >> 20;

        ServerOptions.Pictures pictures() {
            return new ServerOptions.Pictures(Optional.ofNullable(folder), Duration.ofMinutes(minutes), memory << 20);
        }
    }

    void addOptions(CommandSpec spec) {
        defaults.addSection(spec, "Defaults of requests that leave a setting out");
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        machine.check(spec, where);
        if (System.getProperty(LOG_FORMAT) == null)
            System.setProperty(LOG_FORMAT, "%1$tF %1$tT %4$s %5$s%6$s%n"); // one line a message
        PrintWriter err = spec.commandLine().getErr();
        ServerOptions settings = settings();
        GyreServer server = new GyreServer(settings, new ModelLoader());
        server.start();
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime()
                .addShutdownHook(Thread.ofPlatform().name("gyre-stop").unstarted(() -> {
                    err.println("stopping: finishing running requests");
                    server.close();
                    stopped.countDown();
                }));
        err.println("serving " + server.uri() + " (OpenAI's API at " + server.uri() + "/v1)");
        if (settings.access().keys().isEmpty()
                && !InetAddress.getByName(listen.host).isLoopbackAddress())
            err.println("note: without --keys anyone who reaches " + listen.host + " can use the service");
        err.flush();
        stopped.await();
        return 0;
    }

    private ServerOptions settings() throws IOException {
        try {
            return new ServerOptions(
                    new ServerOptions.Listen(listen.host, listen.port, Optional.ofNullable(listen.publicUrl)),
                    models,
                    strict,
                    new ServerOptions.Defaults(defaults.values()),
                    limits.limits(),
                    listen.access(),
                    pictures.pictures(),
                    Optional.ofNullable(loras));
        } catch (IllegalArgumentException e) {
            Optional<Setting> setting = Settings.about(e.getMessage());
            throw LoadOptions.usage(
                    spec,
                    setting.map(one -> one.option()
                                    + e.getMessage().substring(one.label().length()))
                            .orElse(e.getMessage()));
        }
    }

    private final class ModelLoader implements Loader {
        @Override
        public StableDiffusion load(Optional<Path> path, Precision precision) throws IOException {
            return machine.load(path, precision, new Console(spec.commandLine().getErr()), where, Optional.empty());
        }

        @Override
        public List<Precision> precisions() {
            Precision usual = machine.precision();
            if (where.tornado()) return List.of(usual);
            return Stream.concat(Stream.of(usual), Arrays.stream(Precision.values()))
                    .filter(precision -> precision.refusal().isEmpty())
                    .distinct()
                    .toList();
        }
    }
}
