package dev.gyre.nn.elementwise;

import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Target;
import dev.gyre.core.Value;
import dev.gyre.nn.Epilogue;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * An op fused with the addition that follows it, for devices: for ops whose kernels take an {@link Epilogue}.
 *
 * @param op makes a value that only the addition reads
 * @param sum adds to the op's output
 * @param epilogue the addend
 * @param kernels the op's kernels for a target, with the epilogue, making {@code sum.output()}; empty where it has none
 */
public record FusedAdd(Op op, Op sum, Epilogue epilogue, Function<Target, Optional<List<KernelCall>>> kernels)
        implements Op {
    /** The fused op, if {@code op} has kernels for this target. */
    public static Optional<Op> of(
            Op op, Op sum, Epilogue epilogue, Target target, Function<Target, Optional<List<KernelCall>>> kernels) {
        return kernels.apply(target).map(calls -> new FusedAdd(op, sum, epilogue, kernels));
    }

    @Override
    public List<Value> inputs() {
        List<Value> inputs = new ArrayList<>(op.inputs());
        inputs.add(epilogue.value());
        return inputs;
    }

    @Override
    public Value output() {
        return sum.output();
    }

    @Override
    public long flops() {
        return op.flops();
    }

    @Override
    public List<KernelCall> loops() {
        List<KernelCall> calls = new ArrayList<>(op.loops());
        calls.addAll(sum.loops());
        return calls;
    }

    @Override
    public List<KernelCall> device(Target target) {
        return kernels.apply(target).orElseGet(this::loops);
    }
}
