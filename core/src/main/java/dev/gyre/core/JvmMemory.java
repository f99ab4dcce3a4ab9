package dev.gyre.core;

import java.util.Optional;
import java.util.function.BiFunction;

/** The memory of a running graph, for its kernels. */
public interface JvmMemory {
    /** The value's elements: a weight as it is stored, of any floating type; any other value in its planned buffer. */
    Tensor at(Value value);

    /**
     * A weight in another layout: packed at the first request, kept as long as the backend, and shared by all its
     * graphs. Empty where the backend keeps memory low, and for Q8_0, whose blocks lie along the rows: the kernel then
     * reads the weight itself.
     *
     * @param weight a constant
     * @param order names the layout: a weight may be packed in several
     */
    Optional<Tensor> packed(Value weight, String order, Packing packing);

    /** Packs a weight in another layout. */
    @FunctionalInterface
    interface Packing {
        /**
         * @param allocate allocates a tensor of a type and shape
         * @return the packed weight, in memory from {@code allocate}
         */
        Tensor pack(Tensor weight, BiFunction<DType, Shape, Tensor> allocate);
    }

    /** Arrays that all workers of one kernel share; contents undefined. */
    Scratch scratch();
}
