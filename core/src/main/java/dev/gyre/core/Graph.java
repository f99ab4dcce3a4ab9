package dev.gyre.core;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Predicate;

/**
 * Values and ops in execution order. Layers add to it while a model's code runs; a {@link Backend} compiles it. All shapes are
 * known when it is built. Not thread-safe.
 */
public final class Graph {
    private final String title;
    private final List<Value> inputs = new ArrayList<>();
    private final List<Value> outputs = new ArrayList<>();
    private final List<Op> ops = new ArrayList<>();
    private final Map<Value, List<String>> names = new IdentityHashMap<>();

    /** A graph without a title. */
    public Graph() {
        this("graph");
    }

    /** A graph that profiles and traces call by this title. */
    public Graph(String title) {
        this.title = title;
    }

    /** What profiles and traces call it. */
    public String title() {
        return title;
    }

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

    /**
     * Gives what an op made a name to be found by, as models do for what their modules give. A value may have several: a block's output
     * is its last layer's as well.
     *
     * @return the value
     */
    public Value name(String name, Value value) {
        if (value.constant().isPresent() || value.graph() != this)
            throw new IllegalArgumentException(name + ": " + value + " is not made in this graph");
        List<String> all = names.computeIfAbsent(value.storage(), unnamed -> new ArrayList<>());
        if (!all.contains(name)) all.add(name);
        return value;
    }

    /** The names that a value was given, the first given first; none for weights, inputs and most of what lies between layers. */
    public List<String> names(Value value) {
        return List.copyOf(names.getOrDefault(value.storage(), List.of()));
    }

    /** Names a value that runs return; the first named is the first returned. */
    public void output(Value value) {
        if (value.graph() != this) throw new IllegalArgumentException(value + " belongs to another graph");
        if (value.constant().isPresent()) throw new IllegalArgumentException(value + " is a weight, not an output");
        outputs.add(value);
    }

    /** What every run is given, in order. */
    public List<Value> inputs() {
        return List.copyOf(inputs);
    }

    /** What every run returns, in order. */
    public List<Value> outputs() {
        return List.copyOf(outputs);
    }

    /** The ops in the order they run. */
    public List<Op> ops() {
        return List.copyOf(ops);
    }

    /** @throws IllegalArgumentException when these are not the inputs that a run expects, naming the first that differs */
    public void checkInputs(Tensor... given) {
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

    /**
     * This graph with ops {@linkplain Op#fused joined} where they offer it; values, inputs and outputs are the same.
     *
     * @param alone which ops stay as they are
     * @param join asks the first of two ops whether it is joined with the second, which makes one of its inputs
     */
    public Graph fused(Predicate<Op> alone, BiFunction<Op, Op, Optional<Op>> join) {
        Map<Value, Integer> readers = new IdentityHashMap<>();
        for (Op op : ops) for (Value input : op.inputs()) readers.merge(input.storage(), 1, Integer::sum);
        for (Value output : outputs) readers.merge(output.storage(), 1, Integer::sum);
        Map<Value, Op> makers = new IdentityHashMap<>();
        Set<Op> left = Collections.newSetFromMap(new LinkedHashMap<>());
        for (Op op : ops) {
            Op whole = op;
            for (Value input : alone.test(op) ? List.<Value>of() : op.inputs()) {
                Op producer = makers.get(input.storage());
                if (producer == null || alone.test(producer) || readers.get(input.storage()) > 1) continue;
                Optional<Op> joined = join.apply(whole, producer);
                if (joined.isEmpty()) continue;
                whole = joined.get();
                left.remove(producer);
            }
            left.add(whole);
            makers.put(whole.output().storage(), whole);
        }
        return with(outputs, left);
    }

    /** This graph, returning these values behind its own outputs. */
    public Graph returning(Collection<Value> more) {
        List<Value> all = new ArrayList<>(outputs);
        all.addAll(more);
        return with(all, ops);
    }

    private Graph with(List<Value> outputs, Collection<Op> ops) {
        Graph graph = new Graph(title);
        graph.inputs.addAll(inputs);
        graph.outputs.addAll(outputs);
        graph.ops.addAll(ops);
        return graph;
    }
}
