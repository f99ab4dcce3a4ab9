package dev.gyre.bench;

import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.request.Request;
import java.io.IOException;
import java.nio.file.Path;
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

/** A whole picture: text, steps, decoding. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2)
@Measurement(iterations = 5)
public class PictureBenchmark {
    /** A checkpoint's path; {@code embedded} is the model that comes with Gyre. */
    @Param("embedded")
    public String model;

    /** Steps of DDIM. */
    @Param("20")
    public int steps;

    private StableDiffusion sd;

    @Setup(Level.Trial)
    public void load() throws IOException {
        sd = model.equals("embedded") ? StableDiffusion.embedded() : StableDiffusion.load(Path.of(model));
    }

    /** One picture at the model's native size, with guidance. */
    @Benchmark
    public Picture draw() {
        return sd.generate(
                Request.of("a red circle on a blue background").steps(steps).seed(42));
    }

    @TearDown(Level.Trial)
    public void close() {
        sd.close();
    }
}
