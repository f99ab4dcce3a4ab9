package dev.gyre.cli;

import dev.gyre.bench.MemorySpeed;
import dev.gyre.bench.ModelBench;
import dev.gyre.bench.Table;
import dev.gyre.core.Backend;
import dev.gyre.core.Precision;
import dev.gyre.core.Profiler;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.core.profile.Environment;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How fast a model draws here, for every combination of the sizes and thread counts given. */
@Command(
        name = "bench",
        description = "Times loading, text encoding, guided steps and decoding, and prints a table.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        subcommands = BenchCompare.class)
final class BenchCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = {"-m", "--model"},
            split = ",",
            paramLabel = "FILE",
            description = "Checkpoints (.safetensors). (default: the small embedded model)")
    private List<Path> models = List.of();

    @Option(names = "--ema", description = "Use the UNet's averaged (EMA) weights, where the file has them.")
    private boolean ema;

    @Option(
            names = "--size",
            split = ",",
            paramLabel = "WxH",
            description = "Pixels, multiples of 64. (default: 512x512; embedded model 128x128)")
    private List<String> sizes = List.of();

    @Option(names = "--steps", defaultValue = "5", description = "Guided steps to time. (default: ${DEFAULT-VALUE})")
    private int steps;

    @Option(names = "--threads", split = ",", description = "Numbers of threads. (default: one per processor)")
    private List<Integer> threads = List.of();

    @Option(names = "--low-memory", description = "Read weights from the mapped file as they are used.")
    private boolean lowMemory;

    @Option(
            names = "--precision",
            split = ",",
            defaultValue = "f32",
            description = "Type of matrix multiplications: f32, bf16 or both. (default: ${DEFAULT-VALUE})")
    private List<String> precisions;

    @Mixin
    private BackendOptions where;

    @Option(names = "--output", defaultValue = "md", description = "md, csv or json. (default: ${DEFAULT-VALUE})")
    private String output;

    @Option(
            names = "--profile",
            description = "Also print the time of a step and of decoding by op, and the memory bandwidth.")
    private boolean profile;

    @Option(
            names = "--trace",
            paramLabel = "FILE",
            description = "Write when each op and graph ran, in Chrome's trace format.")
    private Path trace;

    @Override
    public Integer call() throws IOException {
        try (Tracing tracing = Tracing.to(trace)) {
            return run(tracing);
        }
    }

    private int run(Tracing tracing) throws IOException {
        where.check();
        if (!List.of("md", "csv", "json").contains(output)) throw usage("--output: md, csv or json, got " + output);
        if (steps < 1) throw usage("--steps: at least 1, got " + steps);
        for (int count : threads) if (count < 1) throw usage("--threads: at least 1, got " + count);

        PrintWriter out = spec.commandLine().getOut(), err = spec.commandLine().getErr();
        err.println(Environment.line());
        Table table = new Table(
                "model",
                "weights",
                "size",
                "steps",
                "backend",
                "precision",
                "threads",
                "load s",
                "text s",
                "first step s",
                "s/step",
                "±",
                "decode s",
                "decode ±",
                "GFLOP/s",
                "planned MiB",
                "packed MiB",
                "resident MiB");
        List<Optional<Path>> files = new ArrayList<>();
        for (Path model : models) files.add(Optional.of(model));
        if (files.isEmpty()) files.add(Optional.empty());
        List<Integer> counts = threads.isEmpty() ? List.of(JvmBackend.Options.DEFAULT.threads()) : threads;
        List<Table> profiles = new ArrayList<>();
        List<String> titles = new ArrayList<>();
        for (Optional<Path> model : files)
            for (String size : sizes.isEmpty() ? List.of(model.isEmpty() ? "128x128" : "512x512") : sizes)
                for (Run run : runs(counts)) {
                    int count = run.threads;
                    int[] sides = sides(size);
                    JvmBackend.Options options = JvmBackend.Options.DEFAULT
                            .threads(count)
                            .lowMemory(lowMemory)
                            .precision(run.precision);
                    ModelBench.Result r = new ModelBench(
                                    model,
                                    ema,
                                    sides[0],
                                    sides[1],
                                    steps,
                                    profiler -> open(options, tracing, profiler, err))
                            .run();
                    String way = lowMemory ? where.backend() + " low-memory" : where.backend();
                    table.add(
                            r.model(),
                            r.weights(),
                            size,
                            steps,
                            way,
                            run.precision.label(),
                            count,
                            r.load(),
                            r.text(),
                            r.firstStep(),
                            r.step(),
                            r.stepDeviation(),
                            r.decode(),
                            r.decodeDeviation(),
                            r.gflops(),
                            r.plannedMiB(),
                            r.packedMiB(),
                            r.residentMiB());
                    String title = r.model() + ", " + size + ", " + count + " threads, " + run.precision.label();
                    titles.add("One step of " + title);
                    profiles.add(r.stepProfile());
                    titles.add("One decoding of " + title);
                    profiles.add(r.decodeProfile());
                }
        out.print(table.as(output));
        if (profile)
            for (int i = 0; i < profiles.size(); i++) {
                out.print(output.equals("md") ? "\n" + titles.get(i) + ":\n\n" : "\n");
                out.print(profiles.get(i).as(output));
            }
        if (profile && where.backend().equals("jvm"))
            for (int count : counts) {
                out.print(output.equals("md") ? "\nHow fast memory is, c = a + b:\n\n" : "\n");
                out.print(MemorySpeed.measure(count).as(output));
            }
        out.flush();
        return 0;
    }

    private record Run(int threads, Precision precision) {}

    private List<Run> runs(List<Integer> counts) {
        List<Run> runs = new ArrayList<>();
        for (int count : counts)
            for (String name : precisions)
                try {
                    runs.add(new Run(count, Precision.named(name)));
                } catch (IllegalArgumentException e) {
                    throw usage("--" + e.getMessage());
                }
        return runs;
    }

    private Backend open(JvmBackend.Options options, Tracing tracing, Profiler profiler, PrintWriter err) {
        Profiler all = tracing.profiler().map(profiler::and).orElse(profiler);
        return where.open(options, new DeviceConsole(new Console(err), where.explain()), Optional.of(all));
    }

    private int[] sides(String size) {
        String[] sides = size.toLowerCase(Locale.ROOT).split("x");
        try {
            int width = Integer.parseInt(sides[0]), height = Integer.parseInt(sides[1]);
            if (sides.length == 2 && width >= 64 && height >= 64 && width % 64 == 0 && height % 64 == 0)
                return new int[] {width, height};
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            throw usage("--size: width and height as in 512x512, got " + size);
        }
        throw usage("--size: multiples of 64, got " + size);
    }

    private ParameterException usage(String problem) {
        return new ParameterException(spec.commandLine(), problem);
    }
}
