package dev.gyre.bench;

import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.request.Conditions;
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

/** A whole picture as it is, with weights in eight bits, and with steps that take over what others have computed. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2)
@Measurement(iterations = 5)
public class DeepCacheBenchmark {
    /** A checkpoint's path; {@code embedded} is the model that comes with Gyre. */
    @Param("embedded")
    public String model;

    /** Steps of DDIM. */
    @Param("20")
    public int steps;

    /** What is saved: nothing, {@code q8}, or what {@code --deepcache} takes. */
    @Param({"nothing", "q8", "2:1", "3:1", "3:2"})
    public String saved;

    private Request request;

    private StableDiffusion sd;

    /** Opens the model. */
    @Setup(Level.Trial)
    public void load() throws IOException {
        sd = model.equals("embedded") ? StableDiffusion.embedded() : StableDiffusion.load(Path.of(model));
        request = Request.of("a red circle on a blue background").steps(steps).seed(42);
        if (saved.equals("q8")) sd.quantize();
        else if (!saved.equals("nothing")) {
            String[] reuse = saved.split(":");
            request = request.with(Conditions.PLAIN.reuse(
                    new Conditions.Reuse(Integer.parseInt(reuse[0]), Integer.parseInt(reuse[1]))));
        }
    }

    /** Draws it. */
    @Benchmark
    public Picture draw() {
        return sd.generate(request);
    }

    /** Closes the model. */
    @TearDown(Level.Trial)
    public void close() {
        sd.close();
    }
}
