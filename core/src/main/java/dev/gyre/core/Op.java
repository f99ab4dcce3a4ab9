package dev.gyre.core;

import java.util.List;
import java.util.Optional;

/**
 * One layer's computation: usually a record of its values and sizes. {@link #loops()} defines it; every faster way is tested
 * against that definition.
 */
public interface Op {
    /** The values it reads, weights included. */
    List<Value> inputs();

    /** The value it makes. Its memory is never shared with an input's. */
    Value output();

    /** The definition: plain loops, one nest a step, run in order. Scratch that two steps share is made within one call. */
    List<KernelCall> loops();

    /**
     * Floating-point operations of the definition, a multiply-add being two: what a benchmark divides by the time. 0 where it is
     * memory that counts.
     */
    default long flops() {
        return 0;
    }

    /** The bytes that it reads and makes, each value once, weights in the file's type. */
    default long bytes() {
        long bytes = output().bytes();
        for (Value input : inputs()) bytes += input.bytes();
        return bytes;
    }

    /** A faster way on the JVM, or empty: then the loops run. Its result may differ from the loops' by rounding only. */
    default Optional<JvmKernel> jvm() {
        return Optional.empty();
    }

    /**
     * A faster way on the JVM in a precision: {@link #jvm()}, for an op that does nothing of its own in any but the first. In
     * {@link Precision#BF16} the result may differ by as much as rounding what is multiplied to bf16 explains.
     */
    default Optional<JvmKernel> jvm(Precision precision) {
        return jvm();
    }

    /**
     * What a device runs, chosen for it; the loops, where nothing better is known. Its result may differ from the loops' by rounding
     * only.
     */
    default List<KernelCall> device(Target target) {
        return loops();
    }

    /**
     * This op and the one that makes one of its inputs as a single op, where that pays: it reads what {@code producer} reads and
     * makes what this one makes. Asked only when nothing else reads what the producer makes.
     */
    default Optional<Op> fused(Op producer) {
        return Optional.empty();
    }

    /** Likewise on a device, for what pays only there; {@link #fused(Op)}, where nothing does. */
    default Optional<Op> fused(Op producer, Target target) {
        return fused(producer);
    }
}
