package dev.gyre.core;

import java.util.List;

/** A compiled graph with its working memory. Runs are serialized: a second caller waits. */
public interface Executable extends AutoCloseable {
    /**
     * Runs the graph.
     *
     * @param inputs one for each of the graph's inputs, in order, of the same type and shape
     * @return the graph's outputs in order, each in a Java array of its own
     * @throws IllegalArgumentException naming the input whose type or shape differs
     */
    List<Tensor> run(Tensor... inputs);

    /** Bytes of working memory, besides the weights. */
    long peakBytes();

    @Override
    void close();
}
