package dev.gyre.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

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

    /** @throws IllegalArgumentException when these are not the inputs that a run expects, naming the first that differs */
    void checkInputs(Tensor... given) {
        if (given.length != inputs.size())
            throw new IllegalArgumentException(
                    "the graph has " + inputs.size() + " inputs " + inputs + ", got " + given.length);
        for (int i = 0; i < given.length; i++) {
            Value value = inputs.get(i);
            if (given[i].dtype() != value.dtype() || !given[i].shape().equals(value.shape()))
                throw new IllegalArgumentException("input " + value.name() + ": expected " + value.dtype() + " "
                        + value.shape() + ", got " + given[i].dtype() + " " + given[i].shape());
        }
    }

    /** This graph with ops {@linkplain Op#joined joined} where they offer it; values, inputs and outputs are the same. */
    Graph joined() {
        Map<Value, Integer> readers = new IdentityHashMap<>();
        for (Op op : ops) for (Value input : op.inputs()) readers.merge(input.storage(), 1, Integer::sum);
        for (Value output : outputs) readers.merge(output.storage(), 1, Integer::sum);
        Map<Value, Op> makers = new IdentityHashMap<>();
        Set<Op> left = Collections.newSetFromMap(new LinkedHashMap<>());
        for (Op op : ops) {
            Op whole = op;
            for (Value input : op.inputs()) {
                Op producer = makers.get(input.storage());
                if (producer == null || readers.get(input.storage()) > 1) continue;
                Optional<Op> joined = whole.joined(producer);
                if (joined.isEmpty()) continue;
                whole = joined.get();
                left.remove(producer);
            }
            left.add(whole);
            makers.put(whole.output().storage(), whole);
        }
        Graph graph = new Graph();
        graph.inputs.addAll(inputs);
        graph.outputs.addAll(outputs);
        graph.ops.addAll(left);
        return graph;
    }
}
