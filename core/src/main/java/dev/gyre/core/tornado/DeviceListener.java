package dev.gyre.core.tornado;

import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import java.util.List;

/**
 * Receives the progress of compilation and uploads, and the cost of runs. Called on the thread that compiles or runs.
 */
public interface DeviceListener {
    /** Ignores everything. */
    DeviceListener NONE = new DeviceListener() {};

    /** {@code done} of {@code tasks} kernels are compiled. */
    default void compiling(int done, int tasks) {}

    /** {@code done} of {@code bytes} bytes of weights are on the device. */
    default void uploading(long done, long bytes) {}

    /** The kernels of a graph: for each task the op and its kernel call. */
    default void chosen(List<Op> ops, List<KernelCall> calls) {}

    /** A graph is ready to run. */
    default void compiled(Ready ready) {}

    /** A run has finished; only if the backend measures runs. */
    default void ran(Run run) {}

    /**
     * The cost of compiling a graph.
     *
     * @param tasks kernels that a run launches
     * @param graphs TornadoVM task graphs that hold them
     * @param weightBytes bytes uploaded once, with the first run
     * @param workingBytes bytes of all other device memory
     * @param trafficBytes bytes transferred in every run
     * @param planNanos time to build the plan
     * @param compileNanos time to compile the kernels
     */
    record Ready(
            int tasks,
            int graphs,
            long weightBytes,
            long workingBytes,
            long trafficBytes,
            long planNanos,
            long compileNanos) {}

    /**
     * TornadoVM's profile of a run.
     *
     * @param nanos wall time
     * @param kernelNanos time in kernels
     * @param compileNanos time spent compiling: none after the first run
     * @param bytesIn bytes to the device, including 24 for the arguments of each task
     * @param bytesOut bytes from the device
     * @param tasks kernels launched
     */
    record Run(long nanos, long kernelNanos, long compileNanos, long bytesIn, long bytesOut, int tasks) {}
}
