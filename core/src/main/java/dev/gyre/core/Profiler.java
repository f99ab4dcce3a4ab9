package dev.gyre.core;

/** Receives the duration of each op and of each run. Called on the thread that runs the graph. */
@FunctionalInterface
public interface Profiler {
    /** Ignores everything. */
    Profiler NONE = (op, start, nanos) -> {};

    /**
     * An op has run.
     *
     * @param op an op of the graph, or the op that several were fused into
     * @param start start time on the clock of {@link System#nanoTime}; a device reports durations only, so its ops are laid end to end
     * @param nanos wall time in nanoseconds; on a device, the time in the op's kernels
     */
    void ran(Op op, long start, long nanos);

    /**
     * A graph has run; its ops were reported before.
     *
     * @param start start time on the clock of {@link System#nanoTime}
     * @param nanos wall time in nanoseconds, including the transfer of inputs and outputs
     */
    default void ran(Graph graph, long start, long nanos) {}

    /** A profiler that reports to this one, then to {@code other}. */
    default Profiler and(Profiler other) {
        Profiler one = this;
        return new Profiler() {
            @Override
            public void ran(Op op, long start, long nanos) {
                one.ran(op, start, nanos);
                other.ran(op, start, nanos);
            }

            @Override
            public void ran(Graph graph, long start, long nanos) {
                one.ran(graph, start, nanos);
                other.ran(graph, start, nanos);
            }
        };
    }
}
