package uk.ac.manchester.tornado.api;

/** What one execution of a plan gave. Only {@link TornadoExecutionPlan#execute()} makes one. */
public class TornadoExecutionResult {
    TornadoExecutionResult() {}

    /** Downloads what was left on the device {@code UNDER_DEMAND}. */
    public TornadoExecutionResult transferToHost(Object... objects) {
        throw NotHere.error();
    }

    /** Empty unless the plan was told to profile. */
    public TornadoProfilerResult getProfilerResult() {
        throw NotHere.error();
    }

    public boolean isReady() {
        throw NotHere.error();
    }
}
