package uk.ac.manchester.tornado.api;

/** Task graphs that run together and own their device memory. Signatures alone: see {@link NotHere}. */
public class TornadoExecutionPlan implements AutoCloseable {
    public TornadoExecutionPlan(ImmutableTaskGraph... immutableTaskGraphs) {
        throw NotHere.error();
    }

    public TornadoExecutionResult execute() {
        throw NotHere.error();
    }

    public TornadoExecutionPlan withGraph(int graphIndex) {
        throw NotHere.error();
    }

    public TornadoExecutionPlan withAllGraphs() {
        throw NotHere.error();
    }

    public TornadoExecutionPlan withPreCompilation() {
        throw NotHere.error();
    }

    public TornadoExecutionPlan withGridScheduler(GridScheduler gridScheduler) {
        throw NotHere.error();
    }

    public TornadoExecutionPlan withMemoryLimit(String memoryLimit) {
        throw NotHere.error();
    }

    public TornadoExecutionPlan freeDeviceMemory() {
        throw NotHere.error();
    }

    @Override
    public void close() {
        throw NotHere.error();
    }
}
