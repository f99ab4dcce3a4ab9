package dev.gyre.nn.elementwise;

import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Target;
import dev.gyre.core.Value;
import dev.gyre.nn.conv.Conv2d;
import dev.gyre.nn.device.Epilogue;
import dev.gyre.nn.linear.Linear;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A linear layer or a convolution, and a sum of what it makes, as one op of devices: by itself the sum is one more kernel to launch and
 * one more pass over memory.
 *
 * @param product {@link Linear} or {@link Conv2d}; nothing but the sum reads what it makes
 * @param sum {@link Add} or {@link AddPerChannel}
 */
public record FusedAdd(Op product, Op sum) implements Op {
    /** Both as one, if the product has kernels for this target that can add. */
    static Optional<Op> of(Op product, Op sum, Target target) {
        FusedAdd plus = new FusedAdd(product, sum);
        return plus.steps(target).map(steps -> plus);
    }

    private Optional<List<KernelCall>> steps(Target target) {
        return switch (product) {
            case Linear linear -> linear.into(output()).device(target, addend());
            case Conv2d conv2d -> conv2d.into(output()).device(target, addend());
            default -> Optional.empty();
        };
    }

    private Epilogue addend() {
        return switch (sum) {
            case Add add -> new Epilogue(product.output().storage() == add.a().storage() ? add.b() : add.a(), 1);
            case AddPerChannel add ->
                new Epilogue(add.c(), add.x().dim(2) * add.x().dim(3));
            default -> throw new IllegalStateException(sum + " is no sum");
        };
    }

    @Override
    public List<Value> inputs() {
        List<Value> inputs = new ArrayList<>(product.inputs());
        inputs.add(addend().value());
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
    public List<KernelCall> loops() {
        List<KernelCall> steps = new ArrayList<>(product.loops());
        steps.addAll(sum.loops());
        return steps;
    }

    @Override
    public List<KernelCall> device(Target target) {
        return steps(target).orElseGet(this::loops);
    }
}
