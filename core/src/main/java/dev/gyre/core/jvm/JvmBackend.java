package dev.gyre.core.jvm;

import dev.gyre.core.Backend;
import dev.gyre.core.Executable;
import dev.gyre.core.Graph;
import dev.gyre.core.Observer;
import dev.gyre.core.Precision;
import dev.gyre.core.Profiler;
import dev.gyre.core.Target;
import dev.gyre.core.Workers;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Runs graphs on the CPU, compiled by HotSpot: an op's optimized implementation if it has one, otherwise its loops, on worker threads.
 * Always available. Results do not depend on the number of threads.
 */
public final class JvmBackend implements Backend {
    /**
     * How to run graphs.
     *
     * @param threads number of threads, including the calling thread
     * @param lowMemory whether to keep no packed copies of weights; kernels then read the stored layout, which is slower
     * @param precision operand type of matrix products
     * @param profiler receives the duration of each op
     */
    public record Options(int threads, boolean lowMemory, Precision precision, Profiler profiler) {
        /** One thread per available processor, packed weights, F32, no profiler. */
        public static final Options DEFAULT =
                new Options(Runtime.getRuntime().availableProcessors(), false, Precision.F32, Profiler.NONE);

        /** With this number of threads, including the calling thread. */
        public Options threads(int threads) {
            return new Options(threads, lowMemory, precision, profiler);
        }

        /** Without packed copies of weights if true. */
        public Options lowMemory(boolean lowMemory) {
            return new Options(threads, lowMemory, precision, profiler);
        }

        /** With this operand type of matrix products. */
        public Options precision(Precision precision) {
            return new Options(threads, lowMemory, precision, profiler);
        }

        /** With this profiler. */
        public Options profiler(Profiler profiler) {
            return new Options(threads, lowMemory, precision, profiler);
        }
    }

    private final Options options;
    private final Workers workers;
    private final Optional<Target> target;
    private final PackedWeights packed = new PackedWeights();
    private final AtomicInteger open = new AtomicInteger();

    /** A backend with {@link Options#DEFAULT}. */
    public JvmBackend() {
        this(Options.DEFAULT);
    }

    /** A backend with this number of threads, otherwise {@link Options#DEFAULT}. */
    public JvmBackend(int threads) {
        this(Options.DEFAULT.threads(threads));
    }

    /**
     * A backend with these options.
     *
     * @throws UnsupportedOperationException when this machine does not support the precision; the message says why
     */
    public JvmBackend(Options options) {
        this(options, Optional.empty());
    }

    private JvmBackend(Options options, Optional<Target> target) {
        options.precision().refusal().ifPresent(reason -> {
            throw new UnsupportedOperationException(
                    "precision " + options.precision().label() + ": " + reason);
        });
        this.options = options;
        this.workers = new Workers(options.threads());
        this.target = target;
    }

    /** A backend that runs the ops' definitions on one thread: the reference for every optimized implementation. */
    public static JvmBackend ofDefinitions() {
        return ofDefinitions(1);
    }

    /** A backend that runs the ops' definitions on this number of threads. */
    public static JvmBackend ofDefinitions(int threads) {
        return ofDevice(new Target(Target.KernelKind.REFERENCE, false), threads);
    }

    /**
     * A backend that runs a device's kernels as plain Java, without a device, to test and debug them.
     *
     * @throws IllegalArgumentException for kernels of work groups, which run on a device only
     */
    public static JvmBackend ofDevice(Target target, int threads) {
        if (target.kernels().compareTo(Target.KernelKind.WORKGROUP) >= 0)
            throw new IllegalArgumentException("kernels of work groups run on a device only, got " + target);
        return new JvmBackend(Options.DEFAULT.threads(threads), Optional.of(target));
    }

    @Override
    public String name() {
        return "jvm";
    }

    /** The number of threads, including the calling thread. */
    public int threads() {
        return workers.threads();
    }

    @Override
    public Precision precision() {
        return options.precision();
    }

    /** The number of executables that are not closed. */
    public int openExecutables() {
        return open.get();
    }

    /** The size of all packed copies of weights in bytes. */
    public long packedBytes() {
        return packed.bytes();
    }

    @Override
    public Executable compile(Graph graph, Observer observer) {
        Executable executable = new JvmExecutable(graph, this, observer);
        open.incrementAndGet();
        return executable;
    }

    @Override
    public long plan(Graph graph) {
        return JvmPlan.of(graph, this, op -> false).memory().peakBytes();
    }

    @Override
    public void release(MemorySegment.Scope owner) {
        packed.release(owner);
    }

    /** For example {@code jvm, 2 threads}. */
    @Override
    public String toString() {
        return name() + ", " + threads() + (threads() == 1 ? " thread" : " threads");
    }

    Workers workers() {
        return workers;
    }

    Options options() {
        return options;
    }

    /** The target whose device kernels to run instead of the ops' JVM implementations, if any. */
    Optional<Target> target() {
        return target;
    }

    PackedWeights packed() {
        return packed;
    }

    void closed(Executable executable) {
        open.decrementAndGet();
    }

    @Override
    public void close() {
        workers.close();
        packed.close();
    }
}
