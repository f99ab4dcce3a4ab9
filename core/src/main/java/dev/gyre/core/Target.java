package dev.gyre.core;

import java.util.List;
import java.util.Optional;

/**
 * What an op's device steps are made for.
 *
 * @param kernels which kind of kernels
 * @param halves whether weights that the file stores as F16 stay so; else they are widened
 */
public record Target(Kernels kernels, boolean halves) {
    /** What runs an op. */
    List<Step> steps(Op op) {
        return kernels == Kernels.LOOPS ? op.loops() : op.device(this);
    }

    /** Both ops as one, where that pays; definitions stay by themselves. */
    Optional<Op> joined(Op op, Op producer) {
        return kernels == Kernels.LOOPS ? Optional.empty() : op.joined(producer, this);
    }

    /** Kinds of kernels, by what they ask of a device. */
    public enum Kernels {
        /** The definitions. */
        LOOPS,
        /** Parallel loops over tiles that one thread keeps in vector registers: for few, strong cores. */
        TILES,
        /** Groups of threads that share tiles in local memory: for GPUs. */
        GROUPS,
        /**
         * As groups, but large matrix products round both sides to 16 bits, with sums in 32, and run on tensor cores: for NVIDIA's GPUs
         * of compute capability 8.0 or more. Taken only where asked for.
         */
        TENSOR,
        /**
         * As groups, but large matrix products are cuBLAS's and convolutions cuDNN's, in 32 bits as these libraries see fit: for
         * TornadoVM's CUDA backend. Taken only where asked for.
         */
        LIBRARIES
    }
}
