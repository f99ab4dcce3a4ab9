package dev.gyre.nn;

import dev.gyre.core.Op;
import dev.gyre.core.Step;
import dev.gyre.core.Target;
import dev.gyre.core.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A linear layer or a convolution, and a sum of what it makes, as one op of devices: by itself the sum is one more kernel to launch and
 * one more pass over memory.
 *
 * @param product what nothing else reads
 * @param sum {@link Add} or {@link AddPerChannel}
 * @param addend what the sum adds
 */
record Plus(Op product, Op sum, Addend addend) implements Op {
    /** Both as one, if the product's kernels for this target can add. */
    static Optional<Op> of(Op product, Op sum, Addend addend, Target target) {
        Plus plus = new Plus(product, sum, addend);
        return plus.steps(target).map(steps -> plus);
    }

    private Optional<List<Step>> steps(Target target) {
        return switch (product) {
            case Linear linear -> linear.into(output()).device(target, addend);
            case Conv2d conv2d -> conv2d.into(output()).device(target, addend);
            default -> Optional.empty();
        };
    }

    @Override
    public List<Value> inputs() {
        List<Value> inputs = new ArrayList<>(product.inputs());
        inputs.add(addend.value());
        return inputs;
    }

    @Override
    public Value output() {
        return sum.output();
    }

    @Override
    public long flops() {
        return product.flops();
    }

    @Override
    public List<Step> loops() {
        List<Step> steps = new ArrayList<>(product.loops());
        steps.addAll(sum.loops());
        return steps;
    }

    @Override
    public List<Step> device(Target target) {
        return steps(target).orElseGet(this::loops);
    }
}
