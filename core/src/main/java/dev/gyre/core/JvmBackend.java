package dev.gyre.core;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Runs graphs on the CPU with HotSpot's compiler: an op's faster way where it has one, else its loops, on worker threads. Always
 * there. The result of a run does not depend on the number of threads.
 */
public final class JvmBackend implements Backend {
    private final Workers workers;
    private final boolean definitions;
    private final AtomicInteger open = new AtomicInteger();

    /** As many threads as the machine has processors. */
    public JvmBackend() {
        this(Runtime.getRuntime().availableProcessors());
    }

    public JvmBackend(int threads) {
        this(threads, false);
    }

    private JvmBackend(int threads, boolean definitions) {
        this.workers = new Workers(threads);
        this.definitions = definitions;
    }

    /** A backend that runs nothing but the definitions, in one thread: what every faster way is compared with. */
    public static JvmBackend ofDefinitions() {
        return new JvmBackend(1, true);
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

    @Override
    public Executable compile(Graph graph) {
        Executable executable = new JvmExecutable(graph, workers, definitions, open::decrementAndGet);
        open.incrementAndGet();
        return executable;
    }

    @Override
    public void close() {
        workers.close();
    }
}
