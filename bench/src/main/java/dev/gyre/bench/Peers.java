package dev.gyre.bench;

import dev.gyre.core.Precision;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.core.profile.Environment;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.noise.TorchRandom;
import dev.gyre.diffusion.output.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.function.DoubleSupplier;
import java.util.regex.Pattern;

/**
 * Gyre beside PyTorch: the same op, one run of each in turn, medians, and how many times faster Gyre is. The peers are libtorch in
 * this JVM (where the build put DJL on the class path) and, with {@code --peer-python}, PyTorch in a Python process.
 *
 * <pre>
 *   --peer-python PYTHON   a Python that has torch (and diffusers, for --model)
 *   --model FILE           also time a whole guided step and decoding against diffusers
 *   --size WxH             of the model's image in pixels, multiples of 64 (512x512)
 *   --only REGEX           ops whose text it is found in
 *   --types fp32,bf16      of both (fp32)
 *   --threads N            of both (one for each processor)
 *   --seconds S            spent on each op and peer (3)
 *   --output md|csv|json   (md)
 * </pre>
 */
public final class Peers {
    /** Milliseconds between one's turn and the other's. */
    private static final int PAUSE = 250;

    private final Map<String, String> options;
    private final int threads;
    private final double budget;
    private final List<Row> rows = new ArrayList<>();
    private final List<String> names = new ArrayList<>();

    /**
     * One op, or part of the model, on Gyre and on a peer.
     *
     * @param work an {@link OpShape}'s text, {@code step HEIGHT WIDTH} or {@code decode HEIGHT WIDTH}
     * @param group what is averaged together
     * @param type {@code fp32} or {@code bf16}
     * @param peer its name, without what stands in brackets
     * @param ours Gyre's median, in seconds
     * @param theirs the peer's
     */
    record Row(String work, String group, String type, String peer, double ours, double theirs, double flops) {
        /** How many times faster Gyre is. */
        double ratio() {
            return theirs / ours;
        }

        double gflops() {
            return flops / ours / 1e9;
        }

        /** Whether this is a part of the model rather than an op. */
        boolean isPart() {
            return group.equals(work);
        }

        /** {@code step} or {@code decode}. */
        String part() {
            return work.substring(0, work.indexOf(' '));
        }
    }

    /** With options as the class has them, without their dashes. */
    Peers(Map<String, String> options) {
        this.options = options;
        threads =
                Integer.parseInt(options.getOrDefault("threads", String.valueOf(JvmBackend.Options.DEFAULT.threads())));
        budget = Double.parseDouble(options.getOrDefault("seconds", "3"));
    }

    /** Runs with the options that the class tells; rows are printed as they come. */
    public static void main(String[] args) throws IOException {
        Map<String, String> options = options(args);
        Peers peers = new Peers(options);
        List<Row> rows = peers.measure();
        if (peers.names.isEmpty())
            throw new IllegalArgumentException("no peer: build with -Ppeers or give --peer-python");
        Table table = new Table("work", "peer", "type", "Gyre ms", "peer ms", "Gyre GFLOP/s", "ratio");
        for (Row row : rows)
            table.add(row.work, row.peer, row.type, row.ours * 1e3, row.theirs * 1e3, row.gflops(), row.ratio());
        String format = options.getOrDefault("output", "md");
        System.out.print(table.as(format));
        System.out.print("\n" + means(rows).as(format));
    }

    /** {@code --name value …} as a map. */
    static Map<String, String> options(String[] args) {
        Map<String, String> options = new LinkedHashMap<>();
        for (int i = 0; i < args.length; i += 2) {
            if (!args[i].startsWith("--") || i + 1 == args.length)
                throw new IllegalArgumentException("options come as --name value, got " + args[i]);
            options.put(args[i].substring(2), args[i + 1]);
        }
        return options;
    }

    /** Geometric means of the ratios. */
    static Table means(List<Row> rows) {
        Map<String, List<Double>> ratios = new LinkedHashMap<>();
        for (Row row : rows)
            ratios.computeIfAbsent(row.group + ", " + row.type + ", " + row.peer, key -> new ArrayList<>())
                    .add(row.ratio());
        Table means = new Table("group", "shapes", "geometric mean", "least");
        ratios.forEach((group, all) -> means.add(
                group,
                all.size(),
                Math.exp(all.stream().mapToDouble(Math::log).average().orElse(0)),
                all.stream().mapToDouble(Double::doubleValue).min().orElse(0)));
        return means;
    }

    /** The peers' names with versions, once measured. */
    List<String> names() {
        return List.copyOf(names);
    }

    /** Measures everything on every peer there is, which may be none; a line for each goes to standard error. */
    List<Row> measure() throws IOException {
        System.err.println(Environment.line() + "; " + threads + " threads");
        Pattern only = Pattern.compile(options.getOrDefault("only", ""));
        List<Peer> peers = new ArrayList<>();
        for (Peer.Provider provider : ServiceLoader.load(Peer.Provider.class)) peers.add(provider.start(threads));
        if (options.containsKey("peer-python")) peers.add(new PythonPeer(options.get("peer-python"), threads));
        peers.forEach(peer -> names.add(peer.name()));
        if (peers.isEmpty()) return rows;
        try {
            for (String type : options.getOrDefault("types", "fp32").split(",")) {
                for (OpShape shape : OpShape.ALL)
                    if (only.matcher(shape.toString()).find())
                        try (OneOp op = new OneOp(shape, ours(type))) {
                            // HotSpot compiles in the background, and more than once.
                            double end = System.nanoTime() + 1.5e9;
                            while (System.nanoTime() < end) op.run();
                            for (Peer peer : peers)
                                compare(shape.toString(), shape.group(), type, shape.flops(), op::seconds, peer);
                        }
                if (options.containsKey("model")) models(peers, only, type);
            }
        } finally {
            peers.forEach(Peer::close);
        }
        return rows;
    }

    /** How Gyre runs beside a peer's type. */
    private JvmBackend.Options ours(String type) {
        return JvmBackend.Options.DEFAULT
                .threads(threads)
                .precision(type.equals("bf16") ? Precision.BF16 : Precision.F32);
    }

    private void models(List<Peer> peers, Pattern only, String type) throws IOException {
        Checkpoint checkpoint = Checkpoint.open(Path.of(options.get("model")));
        Profile profile = new Profile();
        JvmBackend backend = new JvmBackend(ours(type).profiler(profile));
        try (StableDiffusion sd = StableDiffusion.load(checkpoint, backend)) {
            float[] context = sd.encodeText(List.of("", "a photograph of a cat"), Progress.NONE);
            String[] sides = options.getOrDefault("size", "512x512").split("x");
            int width = Integer.parseInt(sides[0]) / 8, height = Integer.parseInt(sides[1]) / 8;
            float[] latents = new TorchRandom(42).next(4 * height * width);
            Map<String, Runnable> parts = new LinkedHashMap<>();
            parts.put("step " + height + " " + width, () -> sd.guided(latents, 500, context, height, width, 7.5));
            parts.put("decode " + height + " " + width, () -> sd.decode(latents, height, width));
            for (Map.Entry<String, Runnable> part : parts.entrySet()) {
                if (!only.matcher(part.getKey()).find()) continue;
                part.getValue().run();
                profile.clear();
                part.getValue().run();
                double flops = profile.flops();
                DoubleSupplier gyre = () -> {
                    long start = System.nanoTime();
                    part.getValue().run();
                    return (System.nanoTime() - start) / 1e9;
                };
                for (Peer peer : peers) compare(part.getKey(), part.getKey(), type, flops, gyre, peer);
            }
        }
    }

    /** A few runs of each in turn, at least three turns. */
    private void compare(String work, String group, String type, double flops, DoubleSupplier gyre, Peer peer) {
        List<Double> ours = new ArrayList<>(), theirs = new ArrayList<>();
        try {
            peer.seconds(work, type); // the first builds it and warms it up
            long start = System.nanoTime();
            for (int i = 0; i < 3 || System.nanoTime() - start < budget * 1e9; i++) {
                turn(gyre, ours);
                turn(() -> peer.seconds(work, type), theirs);
            }
        } catch (UnsupportedOperationException e) {
            System.err.println(work + " " + type + ": " + peer.name() + " cannot: " + e.getMessage());
            return;
        }
        double us = median(ours), them = median(theirs);
        Row row = new Row(work, group, type, peer.name().replaceAll(" \\(.*", ""), us, them, flops);
        rows.add(row);
        System.err.printf("%s %s %s: %.3f%n", work, type, row.peer, row.ratio());
    }

    /**
     * Some timed runs after others that are not, which bring data and clock back. The pause before lets the other's threads go to
     * sleep: OpenMP's wait for more work at full speed for a while.
     */
    private static void turn(DoubleSupplier run, List<Double> times) {
        try {
            Thread.sleep(PAUSE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        double untimed = 0, first = 0;
        while (untimed < 0.06) untimed += first = run.getAsDouble();
        if (first > 0.5) times.add(first);
        else for (int i = 0; i < 5; i++) times.add(run.getAsDouble());
    }

    private static double median(List<Double> values) {
        return ModelBench.median(
                values.stream().mapToDouble(Double::doubleValue).toArray());
    }
}
