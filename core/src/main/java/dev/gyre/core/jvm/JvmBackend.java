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
 * Runs graphs on the CPU with HotSpot's compiler: an op's faster way where it has one, else its loops, on worker threads. Always
 * there. The result of a run does not depend on the number of threads.
 */
public final class JvmBackend implements Backend {
    /**
     * How to run.
     *
     * @param threads as many as share the work, the caller's included
     * @param lowMemory whether to keep no second copy of a weight: kernels then read the file's own order, which is slower
     * @param precision what products multiply
     * @param profiler hears how long ops take
     */
    public record Options(int threads, boolean lowMemory, Precision precision, Profiler profiler) {
        /** As many threads as the machine has processors, weights packed, 32-bit floats, nothing measured. */
        public static final Options DEFAULT =
                new Options(Runtime.getRuntime().availableProcessors(), false, Precision.F32, Profiler.NONE);

        /** With so many threads, the caller's included. */
        public Options threads(int threads) {
            return new Options(threads, lowMemory, precision, profiler);
        }

        /** With or without a second, packed copy of every weight. */
        public Options lowMemory(boolean lowMemory) {
            return new Options(threads, lowMemory, precision, profiler);
        }

        /** With products of this precision. */
        public Options precision(Precision precision) {
            return new Options(threads, lowMemory, precision, profiler);
        }

        /** With this one told how long ops take. */
        public Options profiler(Profiler profiler) {
            return new Options(threads, lowMemory, precision, profiler);
        }
    }

    private final Options options;
    private final Workers workers;
    private final Optional<Target> target;
    private final PackedWeights packed = new PackedWeights();
    private final AtomicInteger open = new AtomicInteger();

    /** As {@link Options#DEFAULT} says. */
    public JvmBackend() {
        this(Options.DEFAULT);
    }

    /** On so many threads, otherwise as {@link Options#DEFAULT} says. */
    public JvmBackend(int threads) {
        this(Options.DEFAULT.threads(threads));
    }

    /** @throws UnsupportedOperationException when this machine cannot work in the precision, saying why */
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

    /** A backend that runs nothing but the definitions, in one thread: what every faster way is compared with. */
    public static JvmBackend ofDefinitions() {
        return ofDefinitions(1);
    }

    /** A backend that runs nothing but the definitions, on some threads. */
    public static JvmBackend ofDefinitions(int threads) {
        return ofDevice(new Target(Target.KernelKind.REFERENCE, false), threads);
    }

    /**
     * A backend that runs what a device would, as plain Java and with no device: how its kernels are tried and debugged.
     *
     * @throws IllegalArgumentException for kernels of threads in groups, which a device alone can run
     */
    public static JvmBackend ofDevice(Target target, int threads) {
        if (target.kernels().compareTo(Target.KernelKind.WORKGROUP) >= 0)
            throw new IllegalArgumentException("kernels in groups run on a device only, got " + target);
        return new JvmBackend(Options.DEFAULT.threads(threads), Optional.of(target));
    }

    @Override
    public String name() {
        return "jvm";
    }

    /** How many threads share the work, the caller's included. */
    public int threads() {
        return workers.threads();
    }

    @Override
    public Precision precision() {
        return options.precision();
    }

    /** Executables that were compiled and not closed yet. */
    public int openExecutables() {
        return open.get();
    }

    /** Bytes of weights that were packed so far, beside the file's own. */
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

    /** As manifests have it: {@code jvm, 2 threads}. */
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

    /** What to run as a device would, in place of the ops' faster ways, if it is told. */
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
