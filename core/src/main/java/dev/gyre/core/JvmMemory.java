package dev.gyre.core;

import java.util.Optional;
import java.util.function.Function;

/** What a kernel of a running graph works on. */
public interface JvmMemory {
    /** The value's elements: a weight as it is stored, of any floating type, everything else as planned. */
    Tensor at(Value value);

    /**
     * A weight in another order: packed when first asked for, kept as long as the backend and shared by all its graphs. Empty where
     * the backend was told to keep memory low, and for Q8_0, whose blocks lie along the rows: then the weight is read as it lies.
     *
     * @param weight a constant
     * @param order names the order: a weight may be packed in several
     */
    Optional<Tensor> packed(Value weight, String order, Packing packing);

    /** How a weight is put in another order. */
    @FunctionalInterface
    interface Packing {
        /**
         * @param allocate gives a tensor of the weight's own element type for a shape
         * @return the weight in its new order, in memory from {@code allocate}
         */
        Tensor pack(Tensor weight, Function<Shape, Tensor> allocate);
    }

    /** Arrays that all workers of one kernel share; as with the workers' own, they hold whatever was left there. */
    Scratch scratch();
}
