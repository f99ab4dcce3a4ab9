package dev.gyre.core;

import java.util.List;
import java.util.Optional;

/**
 * One layer's computation, usually a record of its values and sizes. {@link #loops()} defines it; every faster
 * implementation is tested against that definition.
 */
public interface Op {
    /** The values it reads, weights included. */
    List<Value> inputs();

    /** The value it computes, in memory that no input shares. */
    Value output();

    /**
     * The definition: plain loops, one kernel per loop nest, run in order. Scratch that kernels share must be created
     * within one call of this method.
     */
    List<KernelCall> loops();

    /**
     * Floating-point operations of the definition, a multiply-add counting as two, from which benchmarks compute
     * throughput. 0 where the op is bound by memory.
     */
    default long flops() {
        return 0;
    }

    /** The bytes of its inputs and output, each value once, weights in the checkpoint's type. */
    default long bytes() {
        long bytes = output().bytes();
        for (Value input : inputs()) bytes += input.bytes();
        return bytes;
    }

    /**
     * A faster implementation on the JVM, or empty: then the definition runs. Its result may differ from the
     * definition's by rounding only.
     */
    default Optional<JvmKernel> jvm() {
        return Optional.empty();
    }

    /**
     * A faster implementation on the JVM in a precision; by default {@link #jvm()}, for an op that has no other. In
     * {@link Precision#BF16} the result may differ by as much as rounding the operands of products to bf16 explains.
     */
    default Optional<JvmKernel> jvm(Precision precision) {
        return jvm();
    }

    /**
     * The kernels for a device; by default, the definition. Their result may differ from the definition's by rounding
     * only.
     */
    default List<KernelCall> device(Target target) {
        return loops();
    }

    /**
     * This op fused with the op that makes one of its inputs, where that pays: the fused op reads what {@code producer}
     * reads and makes this op's output. Asked only when nothing else reads the producer's output.
     */
    default Optional<Op> fused(Op producer) {
        return Optional.empty();
    }

    /** Likewise on a device, for fusion that pays only there; by default {@link #fused(Op)}. */
    default Optional<Op> fused(Op producer, Target target) {
        return fused(producer);
    }
}
