package dev.gyre.diffusion.nvidia;

import dev.gyre.core.Target;
import dev.gyre.core.tornado.TornadoBackend;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.nn.check.DeviceCheck;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Compiles kernels and launches them, in a JVM of its own with TornadoVM and a driver that runs nothing; {@link NvidiaKernelsTest} starts
 * it. For each piece of work it prints a line: its name, how many launches there were up to its end, and what failed, if anything.
 *
 * <p>Arguments: a kind of kernels; the folder where launches are counted; then nothing for the op table, or a checkpoint.
 */
final class NvidiaProgram {
    private static final int SIDE = 64;

    private final TornadoBackend.Options options;
    private final Path launches;

    private NvidiaProgram(TornadoBackend.Options options, Path folder) {
        this.options = options;
        launches = folder.resolve("launches.tsv");
    }

    /** Some work on a device. */
    private interface Work {
        void run() throws IOException;
    }

    public static void main(String[] args) throws IOException {
        Target target = new Target(Target.KernelKind.valueOf(args[0]), true);
        NvidiaProgram program = new NvidiaProgram(TornadoBackend.Options.DEFAULT.target(target), Path.of(args[1]));
        if (args.length == 2) program.table();
        else program.networks(Path.of(args[2]));
    }

    private void table() {
        // What it computes is nothing, but each case's kernels are compiled and launched.
        DeviceCheck.run(options, name -> true, row -> done(row.name(), row.problem()));
    }

    private void networks(Path checkpoint) throws IOException {
        // Each twice: the second time nothing is compiled, and its launches are what a later step takes.
        try (StableDiffusion sd = StableDiffusion.load(Checkpoint.open(checkpoint), new TornadoBackend(options))) {
            float[][] context = new float[1][];
            for (int i = 0; i < 2; i++)
                step("text", () -> context[0] = sd.encodeText(List.of("", "a photograph of a cat"), Progress.NONE));
            float[] latents = new float[4 * SIDE * SIDE];
            for (int i = 0; i < 2; i++) step("step", () -> sd.guided(latents, 500, context[0], SIDE, SIDE, 7.5));
            for (int i = 0; i < 2; i++) step("decode", () -> sd.decode(latents, SIDE, SIDE));
            for (int i = 0; i < 2; i++)
                step("encode", () -> sd.encode(new float[3 * 64 * SIDE * SIDE], 8 * SIDE, 8 * SIDE));
        }
    }

    private void step(String name, Work work) throws IOException {
        String failure = "";
        try {
            work.run();
        } catch (RuntimeException | Error e) {
            Throwable cause = e;
            while (cause.getCause() != null) cause = cause.getCause();
            failure = String.valueOf(cause).replaceAll("\\s+", " ");
        }
        done(name, failure);
    }

    private void done(String name, String failure) {
        try (Stream<String> lines = Files.exists(launches) ? Files.lines(launches) : Stream.empty()) {
            System.out.println("WORK\t" + name + "\t" + lines.count() + "\t" + failure);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
