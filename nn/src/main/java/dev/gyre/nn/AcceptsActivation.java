package dev.gyre.nn;

import dev.gyre.core.Op;
import java.util.Optional;

/**
 * An op that can apply an activation to each element before it stores it. An activation asks the op that makes its
 * input, where nothing else reads that value.
 */
public interface AcceptsActivation extends Op {
    /**
     * This op fused with the activation that follows it.
     *
     * @param activation reads this op's output; the fused op makes {@code activation.output()}
     * @return empty for an activation that this op does not support
     */
    Optional<Op> withActivation(Op activation);

    /** For an activation's {@link Op#fused(Op)}: the producer fused with it, where the producer accepts it. */
    static Optional<Op> fused(Op producer, Op activation) {
        return producer instanceof AcceptsActivation op ? op.withActivation(activation) : Optional.empty();
    }
}
