package dev.gyre.core;

import java.util.List;
import java.util.Optional;

/**
 * Which kernels an op makes for a device.
 *
 * @param kernels the kind of kernels
 * @param f16Weights whether weights that the checkpoint stores as F16 stay F16; otherwise they are widened
 */
public record Target(KernelKind kernels, boolean f16Weights) {
    /** The kernels that run an op. */
    public List<KernelCall> calls(Op op) {
        return kernels == KernelKind.REFERENCE ? op.loops() : op.device(this);
    }

    /** The two ops fused, where that pays; definitions are not fused. */
    public Optional<Op> fused(Op op, Op producer) {
        return kernels == KernelKind.REFERENCE ? Optional.empty() : op.fused(producer, this);
    }

    /** Kinds of kernels, by their requirements on a device. */
    public enum KernelKind {
        /** The definitions. */
        REFERENCE,
        /** Parallel loops in which each thread keeps a block of results in vector registers: for few, strong cores. */
        SIMD,
        /** Work groups whose threads share panels in local memory: for GPUs. */
        WORKGROUP,
        /**
         * Like {@link #WORKGROUP}, but large matrix products round both operands to F16, accumulate in 32 bits and run
         * on tensor cores: for NVIDIA GPUs of compute capability 8.0 or more. Used only on request.
         */
        TENSOR_CORE,
        /**
         * Like {@link #WORKGROUP}, but large matrix products are cuBLAS's and convolutions cuDNN's, in the 32-bit modes
         * of these libraries: for TornadoVM's CUDA backend. Used only on request.
         */
        VENDOR
    }
}
