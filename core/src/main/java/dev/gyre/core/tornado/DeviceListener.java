package dev.gyre.core.tornado;

import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import java.util.List;

/** Receives the progress of compilation and uploads, and the cost of runs. Called on the thread that compiles or runs. */
public interface DeviceListener {
    /** Ignores everything. */
    DeviceListener NONE = new DeviceListener() {};

    /** {@code done} of {@code tasks} kernels are compiled. */
    default void compiling(int done, int tasks) {}

    /** {@code done} of {@code bytes} bytes of weights are on the device. */
    default void uploading(long done, long bytes) {}

    /** The kernels that a graph runs: {@code ops.get(i)} and {@code calls.get(i)} are task i's op and kernel call. */
    default void chosen(List<Op> ops, List<KernelCall> calls) {}

    /** A graph is compiled. */
    default void compiled(Ready ready) {}

    /** A run has ended; called only if the backend measures. */
    default void ran(Run run) {}

    /**
     * The cost of compiling a graph.
     *
     * @param tasks kernels that a run launches
     * @param graphs task graphs that they are split into
     * @param weightBytes bytes uploaded once, with the first run
     * @param workingBytes bytes of all other buffers on the device
     * @param trafficBytes bytes that every run transfers to the device and back
     * @param planNanos time to build the execution plan, in nanoseconds
     * @param compileNanos time to compile the kernels, in nanoseconds
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
     * The cost of a run, by TornadoVM's profiler.
     *
     * @param nanos wall time in nanoseconds
     * @param kernelNanos time in kernels, in nanoseconds
     * @param compileNanos time spent compiling, in nanoseconds: 0 after the first run
     * @param bytesIn bytes transferred to the device, including 24 bytes of arguments per task
     * @param bytesOut bytes transferred back
     * @param tasks kernels launched
     */
    record Run(long nanos, long kernelNanos, long compileNanos, long bytesIn, long bytesOut, int tasks) {}
}
