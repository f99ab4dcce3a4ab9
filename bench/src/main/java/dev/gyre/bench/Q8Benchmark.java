package dev.gyre.bench;

import dev.gyre.core.Backend;
import dev.gyre.core.Tensor;
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

/** Linear layers and convolutions with weights in F16, as checkpoints have them, and in eight bits ({@code --type q8_0}). */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class Q8Benchmark {
    /** {@link OpShape}s: of Stable Diffusion v1.5, and the last two of the embedded model. */
    @Param({
        "linear 2048 640 640",
        "linear 512 1280 1280",
        "linear 154 768 640",
        "conv 2 640 32 640 3 1",
        "conv 2 1280 16 1280 3 1",
        "conv 2 640 32 640 1 1",
        "linear 512 32 256",
        "conv 2 64 8 64 3 1"
    })
    public String op;

    /** How weights are stored. */
    @Param({"F16", "Q8_0"})
    public String weights;

    /** Threads that compute. */
    @Param("2")
    public int threads;

    private OneOp compiled;

    /** Compiles the op. */
    @Setup(Level.Trial)
    public void compile() {
        OpShape shape = OpShape.parse(op);
        Backend backend = Backends.named("jvm", threads);
        compiled = weights.equals("Q8_0") ? OneOp.inEightBits(shape, backend) : new OneOp(shape, backend);
    }

    /** One run. */
    @Benchmark
    public List<Tensor> run() {
        return compiled.run();
    }

    /** Lets its memory go. */
    @TearDown(Level.Trial)
    public void close() {
        compiled.close();
    }
}
