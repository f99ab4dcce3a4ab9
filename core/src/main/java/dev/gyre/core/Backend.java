package dev.gyre.core;

import java.lang.foreign.MemorySegment;

/** Compiles and runs graphs. Close its executables before closing it; closing frees its threads, memory and device buffers. */
public interface Backend extends AutoCloseable {
    /** The name that users write: {@code jvm}, {@code tornado}. */
    String name();

    /** Plans the graph's memory and compiles it. */
    default Executable compile(Graph graph) {
        return compile(graph, Observer.NONE);
    }

    /**
     * Compiles a graph whose values an observer sees while it runs.
     *
     * @param observer asked about every op during compilation, and shown the ops it wants in every run. Those ops are not fused with
     *     others, so results may differ by rounding
     */
    Executable compile(Graph graph, Observer observer);

    /** The operand type of matrix products. */
    default Precision precision() {
        return Precision.F32;
    }

    /** The working memory in bytes that the graph would need, weights not included. Allocates nothing. */
    long plan(Graph graph);

    /**
     * Frees everything derived from weights in this memory. Call it before closing the memory, whose addresses may be reused, and after
     * closing every executable that uses the weights.
     *
     * @param owner scope of the weights' memory
     */
    void release(MemorySegment.Scope owner);

    @Override
    void close();
}
