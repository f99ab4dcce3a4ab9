package dev.gyre.nn;

import dev.gyre.core.Op;
import java.util.Optional;

/**
 * An op that can apply an activation to each element before it stores it. Activations ask for it where nothing else reads what this op
 * makes.
 */
public interface AcceptsActivation extends Op {
    /**
     * This op and the activation behind it as one op.
     *
     * @param activation reads what this op makes; the fused op makes {@code activation.output()}
     * @return empty for an activation that this op does not know
     */
    Optional<Op> withActivation(Op activation);

    /** What an activation's {@link Op#fused(Op)} gives: the producer with it, where the producer accepts it. */
    static Optional<Op> fused(Op producer, Op activation) {
        return producer instanceof AcceptsActivation op ? op.withActivation(activation) : Optional.empty();
    }
}
