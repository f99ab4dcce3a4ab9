package dev.gyre.core;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Runs graphs on the CPU with HotSpot's compiler: an op's faster way where it has one, else its loops, on worker threads. Always
 * there. The result of a run does not depend on the number of threads.
 */
public final class JvmBackend implements Backend {
    private final Workers workers;
    private final boolean definitions;
    private final PackedWeights packed;
    private final AtomicInteger open = new AtomicInteger();

    /** As many threads as the machine has processors. */
    public JvmBackend() {
        this(Runtime.getRuntime().availableProcessors());
    }

    public JvmBackend(int threads) {
        this(threads, false, new PackedWeights());
    }

    private JvmBackend(int threads, boolean definitions, PackedWeights packed) {
        this.workers = new Workers(threads);
        this.definitions = definitions;
        this.packed = packed;
    }

    /**
     * A backend that keeps no second copy of a weight: kernels read the file's own order, which is slower. For machines whose memory
     * does not hold the model.
     */
    public static JvmBackend lowMemory(int threads) {
        return new JvmBackend(threads, false, null);
    }

    /** A backend that runs nothing but the definitions, in one thread: what every faster way is compared with. */
    public static JvmBackend ofDefinitions() {
        return new JvmBackend(1, true, null);
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
        return packed == null ? 0 : packed.bytes();
    }

    @Override
    public Executable compile(Graph graph) {
        Executable executable =
                new JvmExecutable(graph, workers, definitions, Optional.ofNullable(packed), open::decrementAndGet);
        open.incrementAndGet();
        return executable;
    }

    @Override
    public void close() {
        workers.close();
        if (packed != null) packed.close();
    }
}
