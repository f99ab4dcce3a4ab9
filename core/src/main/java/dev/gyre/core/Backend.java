package dev.gyre.core;

import java.lang.foreign.MemorySegment;

/** Where graphs run. Closing it frees what it holds; its executables are closed first. */
public interface Backend extends AutoCloseable {
    /** As users name it: {@code jvm}, {@code tornado}. */
    String name();

    /** Plans the graph's memory and makes it ready to run. */
    default Executable compile(Graph graph) {
        return compile(graph, Observer.NONE);
    }

    /**
     * Likewise, for an observer to see values as they are made.
     *
     * @param observer asked about every op now, and shown what it wants in every run; ops that it wants are not joined with others, so
     *     their results may differ by rounding
     */
    Executable compile(Graph graph, Observer observer);

    /** What products multiply. */
    default Precision precision() {
        return Precision.F32;
    }

    /** The bytes of working memory that the graph would take, beside the weights; nothing is allocated. */
    long plan(Graph graph);

    /**
     * Forgets what it made of weights in this memory, before their owner closes it: other memory may come to lie there. No executable
     * that uses them is open any more.
     */
    void release(MemorySegment.Scope owner);

    @Override
    void close();
}
