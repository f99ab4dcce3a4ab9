package dev.gyre.bench;

import dev.gyre.core.Backend;
import dev.gyre.core.Profiler;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.core.profile.Environment;
import dev.gyre.core.tornado.TornadoBackend;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.family.ModelOptions;
import dev.gyre.diffusion.noise.TorchRandom;
import dev.gyre.diffusion.output.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Times the parts of drawing a picture: text, one guided step, decoding.
 *
 * @param model a checkpoint; empty for the embedded one
 * @param width of the picture in pixels
 * @param height of the picture in pixels
 * @param steps guided steps to time; their median is given
 * @param backend gives where to run, for a profiler that hears of every op
 */
public record ModelBench(
        Optional<Path> model, boolean ema, int width, int height, int steps, Function<Profiler, Backend> backend) {
    private static final double GUIDANCE = 7.5;

    /** Seconds of each part; the profiles are of the last step and the last decoding. A step's and the decoding's are medians after a first run, which is given by itself. */
    public record Result(
            String model,
            String weights,
            double load,
            double text,
            double firstStep,
            double step,
            double stepDeviation,
            double decode,
            double decodeDeviation,
            double gflops,
            long plannedMiB,
            long packedMiB,
            long residentMiB,
            Table stepProfile,
            Table decodeProfile) {}

    /**
     * Loads the model and times it: a few seconds for the embedded one, minutes for a full-size one on few cores.
     *
     * @throws IOException when the checkpoint cannot be read
     */
    public Result run() throws IOException {
        Profile profile = new Profile();
        long start = System.nanoTime();
        Checkpoint checkpoint = model.isEmpty() ? Checkpoint.embedded() : Checkpoint.open(model.get());
        String type = checkpoint.names().stream()
                .map(checkpoint::info)
                .max(Comparator.comparingLong(info -> info.shape().stream().reduce(1L, (a, b) -> a * b)))
                .map(info -> info.dtype().name())
                .orElse("");
        Backend backend = this.backend.apply(profile);
        try (StableDiffusion sd = StableDiffusion.load(checkpoint, backend, ModelOptions.DEFAULT.ema(ema))) {
            double load = since(start);
            List<String> prompts = List.of("", "a photograph of an astronaut riding a horse");
            float[] context = sd.encodeText(prompts, Progress.NONE);
            double text = time(() -> sd.encodeText(prompts, Progress.NONE));

            int rows = height / 8, columns = width / 8;
            float[] latents = new TorchRandom(42).next(4 * rows * columns);
            double first = time(() -> sd.guided(latents, 999, context, rows, columns, GUIDANCE));
            double[] step = new double[steps];
            double gflops = 0;
            for (int i = 0; i < steps; i++) {
                profile.clear();
                step[i] = time(() -> sd.guided(latents, 999, context, rows, columns, GUIDANCE));
                gflops = Math.max(gflops, profile.flops() / step[i] / 1e9);
            }
            Table stepProfile = profile.table();
            sd.decode(latents, rows, columns);
            double[] decode = new double[Math.min(steps, 3)];
            for (int i = 0; i < decode.length; i++) {
                profile.clear();
                decode[i] = time(() -> sd.decode(latents, rows, columns));
            }
            return new Result(
                    checkpoint.name(),
                    type,
                    load,
                    text,
                    first,
                    median(step),
                    deviation(step),
                    median(decode),
                    deviation(decode),
                    gflops,
                    sd.peakBytes() >> 20,
                    held(backend) >> 20,
                    Environment.peakResident(),
                    stepProfile,
                    profile.table());
        }
    }

    /** Bytes of weights that a backend keeps in its own order; on a device, all that it holds there. */
    private static long held(Backend backend) {
        if (backend instanceof TornadoBackend tornado) return tornado.deviceBytes();
        return backend instanceof JvmBackend jvm ? jvm.packedBytes() : 0;
    }

    private static double time(Runnable run) {
        long start = System.nanoTime();
        run.run();
        return since(start);
    }

    private static double since(long start) {
        return (System.nanoTime() - start) / 1e9;
    }

    static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    private static double deviation(double[] values) {
        double mean = Arrays.stream(values).average().orElse(0);
        return Math.sqrt(Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum() / values.length);
    }
}
