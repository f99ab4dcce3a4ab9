package dev.gyre.core;

import java.util.List;
import java.util.Optional;

/**
 * What an op's device kernels are chosen for.
 *
 * @param kernels the kind of kernels
 * @param f16Weights whether weights stored as F16 stay F16 on the device; otherwise they are widened to F32
 */
public record Target(KernelKind kernels, boolean f16Weights) {
    /** The kernel calls that run an op. */
    public List<KernelCall> calls(Op op) {
        return kernels == KernelKind.REFERENCE ? op.loops() : op.device(this);
    }

    /** The two ops fused, if {@code op} offers it; reference kernels are never fused. */
    public Optional<Op> fused(Op op, Op producer) {
        return kernels == KernelKind.REFERENCE ? Optional.empty() : op.fused(producer, this);
    }

    /** Kinds of kernels, by what they need from a device. */
    public enum KernelKind {
        /** The plain loops that define the ops. */
        REFERENCE,
        /** Parallel loops whose threads each keep a micro-kernel's block in vector registers: for CPUs. */
        SIMD,
        /** Work groups that share blocks of the operands in local memory: for GPUs. */
        WORKGROUP,
        /**
         * As {@link #WORKGROUP}, but large matrix products run on tensor cores, with operands rounded to 16 bits and F32 accumulators:
         * for NVIDIA GPUs of compute capability 8.0 or later. Never chosen by default.
         */
        TENSOR_CORE,
        /**
         * As {@link #WORKGROUP}, but large matrix products call cuBLAS and convolutions cuDNN, in F32 with the algorithms these libraries
         * choose: for TornadoVM's CUDA backend. Never chosen by default.
         */
        VENDOR
    }
}
