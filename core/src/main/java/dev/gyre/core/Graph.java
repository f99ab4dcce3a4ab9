package dev.gyre.core;

import java.util.ArrayList;
import java.util.List;

/**
 * Values and ops in execution order. Layers add to it while a model's code runs; a {@link Backend} compiles it. All shapes are
 * known when it is built. Not thread-safe.
 */
public final class Graph {
    private final List<Value> inputs = new ArrayList<>();
    private final List<Value> outputs = new ArrayList<>();
    private final List<Op> ops = new ArrayList<>();

    /** A value that every run is given. */
    public Value input(String name, DType dtype, int... dims) {
        Value input = Value.of(this, name, dtype, Shape.of(dims));
        inputs.add(input);
        return input;
    }

    /** A weight. Its memory must outlive every executable of this graph. */
    public Value constant(String name, Tensor tensor) {
        return Value.constant(this, name, tensor);
    }

    /** A value for an op to make. */
    public Value value(String name, DType dtype, int... dims) {
        return Value.of(this, name, dtype, Shape.of(dims));
    }

    /** Appends an op whose inputs are all there already; returns its output. */
    public Value add(Op op) {
        for (Value input : op.inputs())
            if (input.graph() != this)
                throw new IllegalArgumentException(
                        op.getClass().getSimpleName() + " reads " + input + ", which belongs to another graph");
        ops.add(op);
        return op.output();
    }

    /** Names a value that runs return; the first named is the first returned. */
    public void output(Value value) {
        if (value.graph() != this) throw new IllegalArgumentException(value + " belongs to another graph");
        if (value.constant().isPresent()) throw new IllegalArgumentException(value + " is a weight, not an output");
        outputs.add(value);
    }

    public List<Value> inputs() {
        return List.copyOf(inputs);
    }

    public List<Value> outputs() {
        return List.copyOf(outputs);
    }

    public List<Op> ops() {
        return List.copyOf(ops);
    }
}
