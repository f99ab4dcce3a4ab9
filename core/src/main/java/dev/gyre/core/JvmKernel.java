package dev.gyre.core;

/** A faster way to run an op on the JVM. Its result must not depend on the number of workers. */
@FunctionalInterface
public interface JvmKernel {
    /**
     * Reads the op's inputs from {@code memory} and fills its output, sharing the work among {@code workers}.
     *
     * @param memory where each value lies
     */
    void run(JvmMemory memory, Workers workers);
}
