package dev.gyre.bench;

import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.nn.Attention;
import dev.gyre.nn.Conv2d;
import dev.gyre.nn.Linear;
import java.util.List;
import java.util.Map;
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
    /** {@code linear ROWSxINxOUT}, {@code conv BATCHxINxSIDExOUT} (3×3) or {@code attention HEADSxTOKENSxKEYSxDEPTH}. */
    @Param({
        "linear 8192x320x320",
        "linear 8192x320x2560",
        "linear 2048x640x640",
        "linear 512x1280x1280",
        "conv 2x320x64x320",
        "conv 2x640x32x640",
        "conv 2x1280x16x1280",
        "conv 2x2560x8x1280",
        "conv 1x128x512x128",
        "attention 16x4096x4096x40",
        "attention 16x1024x1024x80",
        "attention 16x256x256x160",
        "attention 16x4096x77x40"
    })
    public String op;

    @Param("2")
    public int threads;

    private OneOp compiled;

    @Setup(Level.Trial)
    public void compile() {
        String[] words = op.split(" ");
        int[] s = java.util.Arrays.stream(words[1].split("x"))
                .mapToInt(Integer::parseInt)
                .toArray();
        compiled = switch (words[0]) {
            case "linear" ->
                new OneOp(
                        threads,
                        Map.of("weight", Shape.of(s[2], s[1]), "bias", Shape.of(s[2])),
                        List.of(Shape.of(s[0], s[1])),
                        (x, at) -> Linear.of(x.get(0), s[2], at));
            case "conv" ->
                new OneOp(
                        threads,
                        Map.of("weight", Shape.of(s[3], s[1], 3, 3), "bias", Shape.of(s[3])),
                        List.of(Shape.of(s[0], s[1], s[2], s[2])),
                        (x, at) -> Conv2d.of(x.get(0), s[3], 3, at));
            case "attention" ->
                new OneOp(
                        threads,
                        Map.of(),
                        List.of(
                                Shape.of(1, s[1], s[0] * s[3]),
                                Shape.of(1, s[2], s[0] * s[3]),
                                Shape.of(1, s[2], s[0] * s[3])),
                        (x, at) -> Attention.of(x.get(0), x.get(1), x.get(2), s[0], false));
            default -> throw new IllegalArgumentException("op: linear, conv or attention, got " + op);
        };
    }

    @Benchmark
    public List<Tensor> run() {
        return compiled.run();
    }

    @TearDown(Level.Trial)
    public void close() {
        compiled.close();
    }
}
