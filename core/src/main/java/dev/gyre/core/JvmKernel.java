package dev.gyre.core;

/** A faster way to run an op on the JVM. Its result must not depend on the number of workers. */
@FunctionalInterface
public interface JvmKernel {
    /**
     * Asks for the {@linkplain JvmMemory#packed packed} weights that {@link #run} will ask for, so that they are packed when the graph
     * is compiled, many kernels' at a time.
     */
    default void prepare(JvmMemory memory) {}

    /**
     * Reads the op's inputs from {@code memory} and fills its output, sharing the work among {@code workers}.
     *
     * @param memory where each value lies
     */
    void run(JvmMemory memory, Workers workers);
}
