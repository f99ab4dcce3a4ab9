package dev.gyre.core.tornado;

import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import java.util.List;

/** Hears what a device is made ready for and what its runs cost. Called on the thread that compiles or runs. */
public interface DeviceListener {
    /** Hears nothing. */
    DeviceListener NONE = new DeviceListener() {};

    /** {@code done} of {@code tasks} kernels are compiled. */
    default void compiling(int done, int tasks) {}

    /** {@code done} of {@code bytes} of weights are on the device. */
    default void uploading(long done, long bytes) {}

    /** Which kernels a graph runs: for each task the op and its step. */
    default void chosen(List<Op> ops, List<KernelCall> steps) {}

    /** A graph is ready. */
    default void compiled(Ready ready) {}

    /** A run is over; said only by a backend that is told to measure. */
    default void ran(Run run) {}

    /**
     * What making a graph ready took.
     *
     * @param tasks kernels that a run launches
     * @param graphs TornadoVM's task graphs that hold them
     * @param weightBytes what is uploaded once, with the first run
     * @param workingBytes what else the device holds
     * @param trafficBytes what every run moves to the device and back
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
     * What TornadoVM's profiler says of a run.
     *
     * @param nanos wall time
     * @param kernelNanos time in kernels
     * @param compileNanos time spent compiling: none after the first run
     * @param bytesIn bytes to the device, 24 for the arguments of every task among them
     * @param bytesOut bytes back
     * @param tasks kernels launched
     */
    record Run(long nanos, long kernelNanos, long compileNanos, long bytesIn, long bytesOut, int tasks) {}
}
