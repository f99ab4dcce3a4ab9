package uk.ac.manchester.tornado.api;

import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.ProfilerMode;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;

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

    /** Every task on this device. */
    public TornadoExecutionPlan withDevice(TornadoDevice device) {
        throw NotHere.error();
    }

    public TornadoExecutionPlan withProfiler(ProfilerMode profilerMode) {
        throw NotHere.error();
    }

    public TornadoExecutionPlan withoutProfiler() {
        throw NotHere.error();
    }

    /** Flags for the driver's compiler in place of TornadoVM's own. */
    public TornadoExecutionPlan withCompilerFlags(TornadoVMBackendType backend, String compilerFlags) {
        throw NotHere.error();
    }

    public TornadoExecutionPlan withMemoryLimit(String memoryLimit) {
        throw NotHere.error();
    }

    public TornadoExecutionPlan freeDeviceMemory() {
        throw NotHere.error();
    }

    /** Bytes. */
    public long getCurrentDeviceMemoryUsage() {
        throw NotHere.error();
    }

    @Override
    public void close() throws TornadoExecutionPlanException {
        throw NotHere.error();
    }
}
