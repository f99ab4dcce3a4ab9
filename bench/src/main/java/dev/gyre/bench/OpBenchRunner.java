package dev.gyre.bench;

import dev.gyre.core.Tensor;
import dev.gyre.core.jvm.JvmBackend;
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

/** What JMH runs for an {@link OpBench}: its annotations are here, and what is generated from them, so that a user's class has none. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class OpBenchRunner {
    /** Name of the class that implements {@link OpBench}. */
    @Param("")
    public String type;

    /** One of its sizes. */
    @Param("0")
    public int size;

    /** {@code loops} or {@code kernel}. */
    @Param({"loops", "kernel"})
    public String way;

    /** Threads that share the work; 0 for one a processor. */
    @Param("0")
    public int threads;

    private OneOp compiled;

    /** Compiles the graph. */
    @Setup(Level.Trial)
    public void compile() {
        OpBench bench = OpBench.make(type);
        int all = threads == 0 ? JvmBackend.Options.DEFAULT.threads() : threads;
        JvmBackend backend = way.equals("loops") ? JvmBackend.ofDefinitions(all) : new JvmBackend(all);
        compiled = new OneOp(graph -> bench.build(graph, size), backend);
    }

    /** Runs it, its inputs' copy into place included. */
    @Benchmark
    public List<Tensor> run() {
        return compiled.run();
    }

    /** Lets go of it. */
    @TearDown(Level.Trial)
    public void close() {
        compiled.close();
    }
}
