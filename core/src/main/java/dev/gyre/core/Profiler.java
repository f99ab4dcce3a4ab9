package dev.gyre.core;

/** Receives the time that each op of a running graph took. Called on the thread that runs the graph. */
@FunctionalInterface
public interface Profiler {
    /** Ignores everything. */
    Profiler NONE = (op, start, nanos) -> {};

    /**
     * An op has run.
     *
     * @param op an op of the graph, or one that several were fused into
     * @param start when it began, by {@link System#nanoTime}; devices report durations only, which are laid end to end
     * @param nanos wall time, including all workers' parts
     */
    void ran(Op op, long start, long nanos);

    /**
     * A graph has run, after its ops were reported.
     *
     * @param start when it began, by {@link System#nanoTime}
     * @param nanos wall time, including the transfer of inputs and outputs
     */
    default void ran(Graph graph, long start, long nanos) {}

    /** This profiler and another, both notified. */
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
