package dev.gyre.nn;

import dev.gyre.core.Op;
import dev.gyre.core.Target;
import java.util.Optional;

/**
 * An op that can add another value to each element before it stores it, so that the sum behind it takes no kernel and no pass over memory
 * of its own. {@link dev.gyre.nn.elementwise.Add} and {@link dev.gyre.nn.elementwise.AddPerChannel} ask for it where nothing else
 * reads what this op makes.
 */
public interface AcceptsAddend extends Op {
    /**
     * This op and the sum behind it as one op, on the JVM.
     *
     * @param sum adds to what this op makes; the fused op makes {@code sum.output()}
     * @param epilogue what the sum adds
     * @return empty, the default, where the two stay apart
     */
    default Optional<Op> withAddend(Op sum, Epilogue epilogue) {
        return Optional.empty();
    }

    /** Likewise for a device: {@link #withAddend(Op, Epilogue)}, for an op that has no kernels of its own for it. */
    default Optional<Op> withAddend(Op sum, Epilogue epilogue, Target target) {
        return withAddend(sum, epilogue);
    }
}
