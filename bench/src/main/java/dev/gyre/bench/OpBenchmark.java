package dev.gyre.bench;

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

/** The ops that Stable Diffusion v1.5 spends its time in, at the shapes it uses for a 512×512 picture with guidance. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class OpBenchmark {
    /** {@link OpShape}s. */
    @Param({
        "linear 8192 320 320",
        "linear 8192 320 2560",
        "linear 8192 1280 320",
        "linear 2048 640 640",
        "linear 2048 640 5120",
        "linear 2048 2560 640",
        "linear 512 1280 1280",
        "linear 512 1280 10240",
        "linear 512 5120 1280",
        "linear 128 1280 1280",
        "linear 128 1280 10240",
        "linear 128 5120 1280",
        "linear 154 768 320",
        "linear 154 768 640",
        "linear 154 768 1280",
        "linear 2 320 1280",
        "linear 2 1280 320",
        "linear 2 1280 640",
        "linear 2 1280 1280",
        "conv 2 4 64 320 3 1",
        "conv 2 320 64 320 3 1",
        "conv 2 640 64 320 3 1",
        "conv 2 960 64 320 3 1",
        "conv 2 640 64 640 3 1",
        "conv 2 320 64 4 3 1",
        "conv 2 320 32 640 3 1",
        "conv 2 640 32 640 3 1",
        "conv 2 960 32 640 3 1",
        "conv 2 1280 32 640 3 1",
        "conv 2 1920 32 640 3 1",
        "conv 2 1280 32 1280 3 1",
        "conv 2 640 16 1280 3 1",
        "conv 2 1280 16 1280 3 1",
        "conv 2 1920 16 1280 3 1",
        "conv 2 2560 16 1280 3 1",
        "conv 2 1280 8 1280 3 1",
        "conv 2 2560 8 1280 3 1",
        "conv 2 320 64 320 3 2",
        "conv 2 640 32 640 3 2",
        "conv 2 1280 16 1280 3 2",
        "conv 2 320 64 320 1 1",
        "conv 2 640 64 320 1 1",
        "conv 2 960 64 320 1 1",
        "conv 2 320 32 640 1 1",
        "conv 2 640 32 640 1 1",
        "conv 2 960 32 640 1 1",
        "conv 2 1280 32 640 1 1",
        "conv 2 1920 32 640 1 1",
        "conv 2 640 16 1280 1 1",
        "conv 2 1280 16 1280 1 1",
        "conv 2 1920 16 1280 1 1",
        "conv 2 2560 16 1280 1 1",
        "conv 2 1280 8 1280 1 1",
        "conv 2 2560 8 1280 1 1",
        "attention 16 4096 4096 40",
        "attention 16 1024 1024 80",
        "attention 16 256 256 160",
        "attention 16 64 64 160",
        "attention 16 4096 77 40",
        "attention 16 1024 77 80",
        "attention 16 256 77 160",
        "attention 16 64 77 160",
        "conv 1 4 64 512 3 1",
        "conv 1 512 64 512 3 1",
        "conv 1 512 128 512 3 1",
        "conv 1 512 256 512 3 1",
        "conv 1 512 256 256 3 1",
        "conv 1 256 256 256 3 1",
        "conv 1 256 512 256 3 1",
        "conv 1 256 512 128 3 1",
        "conv 1 128 512 128 3 1",
        "conv 1 128 512 3 3 1",
        "conv 1 512 64 512 1 1",
        "conv 1 512 256 256 1 1",
        "conv 1 256 512 128 1 1",
        "attention 1 4096 4096 512"
    })
    public String op;

    /** Threads that share the op, the caller's included. */
    @Param("2")
    public int threads;

    /** See {@link Backends#named}. */
    @Param("jvm")
    public String backend;

    private OneOp compiled;

    @Setup(Level.Trial)
    public void compile() {
        compiled = new OneOp(OpShape.parse(op), Backends.named(backend, threads));
    }

    /** Runs the op once, as it runs in a model. */
    @Benchmark
    public List<Tensor> run() {
        return compiled.run();
    }

    @TearDown(Level.Trial)
    public void close() {
        compiled.close();
    }
}
