package dev.gyre.core;

import java.lang.foreign.MemorySegment;

/** Runs graphs. Close its executables first, then the backend, which frees its memory. */
public interface Backend extends AutoCloseable {
    /** The name in options: {@code jvm}, {@code tornado}. */
    String name();

    /** Plans the graph's memory and prepares its kernels. */
    default Executable compile(Graph graph) {
        return compile(graph, Observer.NONE);
    }

    /**
     * Likewise, with an observer of values as they are computed.
     *
     * @param observer is asked about every op now, and receives the values of the ops it wants in every run. Those ops
     *     are not fused with others, so their results may differ by rounding
     */
    Executable compile(Graph graph, Observer observer);

    /** The element type of operands of matrix products. */
    default Precision precision() {
        return Precision.F32;
    }

    /** Bytes of working memory that the graph would take, besides the weights; allocates nothing. */
    long plan(Graph graph);

    /**
     * Drops everything derived from weights in this memory, before its owner closes it: other memory may be mapped at
     * the same address. No executable that uses them may be open.
     */
    void release(MemorySegment.Scope owner);

    @Override
    void close();
}
