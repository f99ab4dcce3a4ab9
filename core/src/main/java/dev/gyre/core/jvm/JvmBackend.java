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
 * Runs graphs on the CPU, on worker threads: each op's faster implementation where it has one, otherwise its
 * definition, compiled by HotSpot. Always available. Results do not depend on the number of threads.
 */
public final class JvmBackend implements Backend {
    /**
     * How to run.
     *
     * @param threads in total, the caller's included
     * @param lowMemory whether to keep no packed copy of weights: kernels then read the checkpoint's layout, which is
     *     slower
     * @param precision the element type of operands of matrix products
     * @param profiler receives the time of each op
     */
    public record Options(int threads, boolean lowMemory, Precision precision, Profiler profiler) {
        /** One thread for each available processor, packed weights, 32-bit floats, no profiler. */
        public static final Options DEFAULT =
                new Options(Runtime.getRuntime().availableProcessors(), false, Precision.F32, Profiler.NONE);

        /** With this number of threads, the caller's included. */
        public Options threads(int threads) {
            return new Options(threads, lowMemory, precision, profiler);
        }

        /** With or without a packed copy of each weight. */
        public Options lowMemory(boolean lowMemory) {
            return new Options(threads, lowMemory, precision, profiler);
        }

        /** With this precision of operands. */
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

    /** With {@link Options#DEFAULT}. */
    public JvmBackend() {
        this(Options.DEFAULT);
    }

    /** With this number of threads, otherwise {@link Options#DEFAULT}. */
    public JvmBackend(int threads) {
        this(Options.DEFAULT.threads(threads));
    }

    /** @throws UnsupportedOperationException when this machine does not support the precision, saying why */
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

    /** A backend that runs only the definitions, on one thread: the reference for every faster implementation. */
    public static JvmBackend ofDefinitions() {
        return ofDefinitions(1);
    }

    /** A backend that runs only the definitions, on this number of threads. */
    public static JvmBackend ofDefinitions(int threads) {
        return ofDevice(new Target(Target.KernelKind.REFERENCE, false), threads);
    }

    /**
     * A backend that runs the kernels of a device target as plain Java, without a device: for testing and debugging
     * them.
     *
     * @throws IllegalArgumentException for targets with work groups, which only a device can run
     */
    public static JvmBackend ofDevice(Target target, int threads) {
        if (target.kernels().compareTo(Target.KernelKind.WORKGROUP) >= 0)
            throw new IllegalArgumentException("kernels of work groups require a device, got " + target);
        return new JvmBackend(Options.DEFAULT.threads(threads), Optional.of(target));
    }

    @Override
    public String name() {
        return "jvm";
    }

    /** The number of threads, the caller's included. */
    public int threads() {
        return workers.threads();
    }

    @Override
    public Precision precision() {
        return options.precision();
    }

    /** Executables that are not closed yet. */
    public int openExecutables() {
        return open.get();
    }

    /** Bytes of packed weights, besides the checkpoint's own. */
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

    /** As manifests show it: {@code jvm, 2 threads}. */
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

    /** The device target whose kernels run in place of the faster implementations, if any. */
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
