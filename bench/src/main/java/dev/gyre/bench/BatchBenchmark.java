package dev.gyre.bench;

import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.request.InitImage;
import dev.gyre.diffusion.request.Request;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Requests a second: one at a time, and several together, as the service draws those that wait. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 5)
@Measurement(iterations = 4, time = 6)
public class BatchBenchmark {
    private static final int REQUESTS = 4;

    /** A checkpoint's path; {@code embedded} is the model that comes with Gyre. */
    @Param("embedded")
    public String model;

    /** Pixels. The embedded model draws larger ones only over a picture, which is then decoded and encoded at that size too. */
    @Param({"128", "256"})
    public int side;

    /** How many requests are drawn at once. */
    @Param({"1", "4"})
    public int together;

    /** Of the sampler. */
    @Param("20")
    public int steps;

    private StableDiffusion sd;
    private final List<Request> requests = new ArrayList<>();

    @Setup(Level.Trial)
    public void load() throws IOException {
        sd = model.equals("embedded") ? StableDiffusion.embedded() : StableDiffusion.load(Path.of(model));
        for (int i = 0; i < REQUESTS; i++) {
            Request request = Request.of("a red circle on a blue background")
                    .size(side, side)
                    .steps(steps)
                    .seed(i);
            boolean small = side <= 128 || !model.equals("embedded");
            requests.add(small ? request : request.with(InitImage.of(gray()).strength(1)));
        }
    }

    private Image gray() {
        byte[] rgb = new byte[3 * side * side];
        Arrays.fill(rgb, (byte) 128);
        return Image.of(side, side, rgb);
    }

    /** Four requests. */
    @Benchmark
    @OperationsPerInvocation(REQUESTS)
    public List<Picture> draw() throws InterruptedException, ExecutionException {
        List<Picture> pictures = new ArrayList<>();
        for (int first = 0; first < REQUESTS; first += together)
            for (Future<List<Picture>> drawn : sd.generateTogether(
                    requests.subList(first, first + together), Collections.nCopies(together, Progress.NONE)))
                pictures.addAll(drawn.get());
        return pictures;
    }

    @TearDown(Level.Trial)
    public void close() {
        sd.close();
    }
}
