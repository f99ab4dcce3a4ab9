package dev.gyre.bench;

import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.noise.TorchRandom;
import dev.gyre.diffusion.output.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** The parts of drawing a picture: loading, text, one guided step of the UNet, decoding. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3)
@Measurement(iterations = 5)
public class PartBenchmark {
    /** A checkpoint's path; {@code embedded} is the model that comes with Gyre. */
    @Param("embedded")
    public String model;

    /** Sides of the latents, an eighth of the picture's: 64 for 512×512. */
    @Param("16")
    public int latents;

    /** Threads that share the work, the caller's included. */
    @Param("2")
    public int threads;

    /** See {@link Backends#named}. */
    @Param("jvm")
    public String backend;

    private StableDiffusion sd;
    private float[] context;
    private float[] noise;

    @Setup(Level.Trial)
    public void prepare() throws IOException {
        sd = open();
        context = sd.encodeText(List.of("", "a red circle"), Progress.NONE);
        noise = new TorchRandom(42).next(4 * latents * latents);
    }

    private StableDiffusion open() throws IOException {
        Checkpoint checkpoint = model.equals("embedded") ? Checkpoint.embedded() : Checkpoint.open(Path.of(model));
        return StableDiffusion.load(checkpoint, Backends.named(backend, threads));
    }

    /** Opening alone: weights are packed when a part first runs. */
    @Benchmark
    public void load() throws IOException {
        open().close();
    }

    /** The text encoder on a prompt and its negative: [2, 77, width]. */
    @Benchmark
    public float[] text() {
        return sd.encodeText(List.of("", "a red circle"), Progress.NONE);
    }

    /** The UNet once with and once without the prompt, and what guidance makes of both. */
    @Benchmark
    public float[] step() {
        return sd.guided(noise, 500, context, latents, latents, 7.5);
    }

    /** The VAE's decoder: from latents to pixels. */
    @Benchmark
    public float[] decode() {
        return sd.decode(noise, latents, latents);
    }

    @TearDown(Level.Trial)
    public void close() {
        sd.close();
    }
}
