package dev.gyre.core;

import java.util.List;
import java.util.Optional;

/**
 * One layer's computation, usually a record of its values and sizes. {@link #loops()} defines it; every optimized implementation is
 * tested against that definition.
 */
public interface Op {
    /** The values that it reads, including weights. */
    List<Value> inputs();

    /** The value that it computes. Its memory never overlaps an input's. */
    Value output();

    /**
     * The definition: plain loops, one kernel call per loop nest, run in order. Create {@linkplain Value#scratch scratch values} that two
     * calls share within this method.
     */
    List<KernelCall> loops();

    /**
     * The number of floating-point operations of the definition, counting a multiply-add as two. 0, the default, for an op whose time is
     * bound by memory.
     */
    default long flops() {
        return 0;
    }

    /** The bytes that it reads and writes, counting each value once, weights in their stored type. */
    default long bytes() {
        long bytes = output().bytes();
        for (Value input : inputs()) bytes += input.bytes();
        return bytes;
    }

    /** An optimized implementation on the JVM; if empty, the loops run. Its result may differ from theirs by rounding only. */
    default Optional<JvmKernel> jvm() {
        return Optional.empty();
    }

    /**
     * An optimized implementation on the JVM for a precision. The default is {@link #jvm()} for every precision. With {@link
     * Precision#BF16} the result may differ by as much as rounding the operands to bf16 explains.
     */
    default Optional<JvmKernel> jvm(Precision precision) {
        return jvm();
    }

    /**
     * The kernel calls that a device runs; by default, the loops. Their result may differ from that of the loops by rounding only.
     */
    default List<KernelCall> device(Target target) {
        return loops();
    }

    /**
     * Fuses this op with the op that computes one of its inputs, if that is faster. Called only if nothing else reads the producer's output.
     *
     * @param producer computes one of this op's inputs
     * @return an op that reads the inputs of both and computes this op's output; empty to keep them separate
     */
    default Optional<Op> fused(Op producer) {
        return Optional.empty();
    }

    /** Likewise on a device. The default is {@link #fused(Op)}; override it for a fusion that is faster on devices only. */
    default Optional<Op> fused(Op producer, Target target) {
        return fused(producer);
    }
}
