package dev.gyre.core;

import java.util.Optional;
import java.util.function.BiFunction;

/** The memory of a running graph, as its JVM kernels see it. */
public interface JvmMemory {
    /** The value's elements: a weight in its stored type, anything else in its planned buffer. */
    Tensor at(Value value);

    /**
     * A weight packed into another layout. It is packed on first use, kept until the backend is closed and shared by all its graphs.
     * Empty if the backend runs in low-memory mode, and for Q8_0, whose blocks run along the rows: the kernel then reads the stored layout.
     *
     * @param weight a constant
     * @param layout name of the layout: a weight may be packed into several
     * @param packing does the packing
     */
    Optional<Tensor> packed(Value weight, String layout, Packing packing);

    /** Packs a weight into another layout. */
    @FunctionalInterface
    interface Packing {
        /**
         * Packs a weight.
         *
         * @param allocate allocates a tensor of a type and shape
         * @return the packed weight, in memory from {@code allocate}
         */
        Tensor pack(Tensor weight, BiFunction<DType, Shape, Tensor> allocate);
    }

    /** Scratch arrays that all workers of a kernel share; their contents are undefined. */
    Scratch scratch();
}
