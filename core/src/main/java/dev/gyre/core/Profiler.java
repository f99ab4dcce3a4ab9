package dev.gyre.core;

/** Hears how long each op of a running graph took. Called on the thread that runs the graph. */
@FunctionalInterface
public interface Profiler {
    /** Hears nothing. */
    Profiler NONE = (op, start, nanos) -> {};

    /**
     * An op has run.
     *
     * @param op an op of the graph, or one that several were fused into
     * @param start when it began, as {@link System#nanoTime} has it; a device gives durations alone, which are laid end to end
     * @param nanos wall time, all workers' part included
     */
    void ran(Op op, long start, long nanos);

    /**
     * A graph has run; its ops were told of before.
     *
     * @param start when it began, as {@link System#nanoTime} has it
     * @param nanos wall time, moving inputs and outputs included
     */
    default void ran(Graph graph, long start, long nanos) {}

    /** This one and another, told of the same. */
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
