package uk.ac.manchester.tornado.api.exceptions;

/** Why a plan could not be closed. */
public class TornadoExecutionPlanException extends Exception {
    private static final long serialVersionUID = 1L;

    public TornadoExecutionPlanException(String reason) {
        super(reason);
    }
}
