package uk.ac.manchester.tornado.api;

/** What a plan's last execution took. Signatures alone: see {@link NotHere}. */
public class TornadoProfilerResult {
    TornadoProfilerResult() {}

    /** Nanoseconds. */
    public long getTotalTime() {
        throw NotHere.error();
    }

    /** Nanoseconds of compiling, TornadoVM's and the driver's together. */
    public long getCompileTime() {
        throw NotHere.error();
    }

    /** Nanoseconds that kernels ran on the device. */
    public long getDeviceKernelTime() {
        throw NotHere.error();
    }

    public long getTotalBytesCopyIn() {
        throw NotHere.error();
    }

    public long getTotalBytesCopyOut() {
        throw NotHere.error();
    }

    /** The whole profile, as JSON. */
    public String getProfileLog() {
        throw NotHere.error();
    }
}
