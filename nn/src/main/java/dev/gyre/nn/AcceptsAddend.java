package dev.gyre.nn;

import dev.gyre.core.Op;
import dev.gyre.core.Target;
import java.util.Optional;

/**
 * An op that can add another value to each element before it stores it, so that the addition that follows takes no
 * kernel and no pass over memory of its own. {@link dev.gyre.nn.elementwise.Add} and
 * {@link dev.gyre.nn.elementwise.AddPerChannel} ask the op that makes their input, where nothing else reads that value.
 */
public interface AcceptsAddend extends Op {
    /**
     * This op fused with the addition that follows it, on the JVM.
     *
     * @param sum adds to this op's output; the fused op makes {@code sum.output()}
     * @param epilogue the addend
     * @return empty, the default, where the two stay separate
     */
    default Optional<Op> withAddend(Op sum, Epilogue epilogue) {
        return Optional.empty();
    }

    /**
     * This op fused with the addition that follows it, on a device; by default {@link #withAddend(Op, Epilogue)}, for
     * an op without device kernels for it.
     */
    default Optional<Op> withAddend(Op sum, Epilogue epilogue, Target target) {
        return withAddend(sum, epilogue);
    }
}
