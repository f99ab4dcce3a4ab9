package dev.gyre.core;

import java.lang.foreign.MemorySegment;

/** Where graphs run. Closing it frees what it holds; its executables are closed first. */
public interface Backend extends AutoCloseable {
    /** As users name it: {@code jvm}, {@code tornado}. */
    String name();

    /** Plans the graph's memory and makes it ready to run. */
    Executable compile(Graph graph);

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
