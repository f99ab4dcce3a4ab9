package dev.gyre.core;

import java.util.List;

/** A compiled graph with its own working memory. Runs are serialized: a second caller waits. */
public interface Executable extends AutoCloseable {
    /**
     * Runs the graph.
     *
     * @param inputs one tensor per graph input, in order, with the input's type and shape
     * @return the graph's outputs in order, each backed by a new Java array
     * @throws IllegalArgumentException when the number of inputs, or an input's type or shape, does not match; the message names the input
     * @throws IllegalStateException when this executable is closed
     */
    List<Tensor> run(Tensor... inputs);

    /** The size of the working memory in bytes, weights not included. */
    long peakBytes();

    @Override
    void close();
}
