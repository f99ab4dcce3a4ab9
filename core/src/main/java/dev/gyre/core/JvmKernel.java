package dev.gyre.core;

/** A faster implementation of an op on the JVM. Its result must not depend on the number of workers. */
@FunctionalInterface
public interface JvmKernel {
    /**
     * Requests the {@linkplain JvmMemory#packed packed} weights that {@link #run} will use, so that they are packed
     * when the graph is compiled, in parallel for many kernels.
     */
    default void prepare(JvmMemory memory) {}

    /**
     * Computes the op's output from its inputs, sharing the work among {@code workers}.
     *
     * @param memory the elements of each value
     */
    void run(JvmMemory memory, Workers workers);
}
