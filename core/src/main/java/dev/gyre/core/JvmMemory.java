package dev.gyre.core;

/** Where the values of a running graph lie. */
public interface JvmMemory {
    /** The value's elements: a weight as the file stores it (F32, F16 or BF16), everything else as planned. */
    Tensor at(Value value);
}
