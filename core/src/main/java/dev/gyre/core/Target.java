package dev.gyre.core;

import java.util.List;
import java.util.Optional;

/**
 * What an op's device steps are made for.
 *
 * @param kernels which kind of kernels
 * @param f16Weights whether weights that the file stores as F16 stay so; else they are widened
 */
public record Target(KernelKind kernels, boolean f16Weights) {
    /** What runs an op. */
    public List<KernelCall> calls(Op op) {
        return kernels == KernelKind.REFERENCE ? op.loops() : op.device(this);
    }

    /** Both ops as one, where that pays; definitions stay by themselves. */
    public Optional<Op> fused(Op op, Op producer) {
        return kernels == KernelKind.REFERENCE ? Optional.empty() : op.fused(producer, this);
    }

    /** Kinds of kernels, by what they ask of a device. */
    public enum KernelKind {
        /** The definitions. */
        REFERENCE,
        /** Parallel loops over tiles that one thread keeps in vector registers: for few, strong cores. */
        SIMD,
        /** Groups of threads that share tiles in local memory: for GPUs. */
        WORKGROUP,
        /**
         * As groups, but large matrix products round both sides to 16 bits, with sums in 32, and run on tensor cores: for NVIDIA's GPUs
         * of compute capability 8.0 or more. Taken only where asked for.
         */
        TENSOR_CORE,
        /**
         * As groups, but large matrix products are cuBLAS's and convolutions cuDNN's, in 32 bits as these libraries see fit: for
         * TornadoVM's CUDA backend. Taken only where asked for.
         */
        VENDOR
    }
}
