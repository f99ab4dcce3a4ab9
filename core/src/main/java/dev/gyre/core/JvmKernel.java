package dev.gyre.core;

/** An optimized implementation of an op on the JVM. Its result must not depend on the number of workers. */
@FunctionalInterface
public interface JvmKernel {
    /**
     * Requests the {@linkplain JvmMemory#packed packed} weights that {@link #run} needs. Called while the graph is compiled, for several
     * kernels in parallel, so that the first run does not pay for packing.
     */
    default void prepare(JvmMemory memory) {}

    /**
     * Reads the op's inputs from {@code memory} and writes its output, dividing the work among {@code workers}.
     *
     * @param memory holds the elements of each value
     */
    void run(JvmMemory memory, Workers workers);
}
