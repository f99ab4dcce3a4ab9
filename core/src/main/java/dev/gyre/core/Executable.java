package dev.gyre.core;

import java.util.List;

/** A compiled graph that owns its working memory. One run at a time: a second caller waits. */
public interface Executable extends AutoCloseable {
    /**
     * Runs the graph.
     *
     * @param inputs one for each of the graph's inputs, in their order, of the same type and shape
     * @return the graph's outputs in their order, each in a Java array of its own
     * @throws IllegalArgumentException when an input's type or shape differs, naming it
     */
    List<Tensor> run(Tensor... inputs);

    /** Bytes of working memory beside the weights. */
    long peakBytes();

    @Override
    void close();
}
