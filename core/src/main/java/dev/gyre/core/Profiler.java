package dev.gyre.core;

/** Hears how long each op of a running graph took. Called on the thread that runs the graph. */
@FunctionalInterface
public interface Profiler {
    /** Hears nothing. */
    Profiler NONE = (op, nanos) -> {};

    /**
     * @param op what ran: an op of the graph, or one that several were fused into
     * @param nanos wall time, all workers' part included
     */
    void ran(Op op, long nanos);
}
