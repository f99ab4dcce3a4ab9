package dev.gyre.core;

import java.lang.foreign.MemorySegment;
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
     * @param profiler hears how long ops take
     */
    public record Options(int threads, boolean lowMemory, Profiler profiler) {
        /** As many threads as the machine has processors, weights packed, nothing measured. */
        public static final Options DEFAULT =
                new Options(Runtime.getRuntime().availableProcessors(), false, Profiler.NONE);

        public Options threads(int threads) {
            return new Options(threads, lowMemory, profiler);
        }

        public Options lowMemory(boolean lowMemory) {
            return new Options(threads, lowMemory, profiler);
        }

        public Options profiler(Profiler profiler) {
            return new Options(threads, lowMemory, profiler);
        }
    }

    private final Options options;
    private final Workers workers;
    private final boolean definitions;
    private final PackedWeights packed = new PackedWeights();
    private final AtomicInteger open = new AtomicInteger();

    public JvmBackend() {
        this(Options.DEFAULT);
    }

    public JvmBackend(int threads) {
        this(Options.DEFAULT.threads(threads));
    }

    public JvmBackend(Options options) {
        this(options, false);
    }

    private JvmBackend(Options options, boolean definitions) {
        this.options = options;
        this.workers = new Workers(options.threads());
        this.definitions = definitions;
    }

    /** A backend that runs nothing but the definitions, in one thread: what every faster way is compared with. */
    public static JvmBackend ofDefinitions() {
        return new JvmBackend(Options.DEFAULT.threads(1), true);
    }

    @Override
    public String name() {
        return "jvm";
    }

    public int threads() {
        return workers.threads();
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
    public Executable compile(Graph graph) {
        Executable executable = new JvmExecutable(graph, this);
        open.incrementAndGet();
        return executable;
    }

    @Override
    public long plan(Graph graph) {
        return new JvmPlan(graph, definitions).memory().peakBytes();
    }

    @Override
    public void release(MemorySegment.Scope owner) {
        packed.release(owner);
    }

    Workers workers() {
        return workers;
    }

    Options options() {
        return options;
    }

    /** Whether nothing but the definitions runs. */
    boolean definitions() {
        return definitions;
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
