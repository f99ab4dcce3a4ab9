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
 * Values and ops in execution order. A model's code builds it layer by layer; a {@link Backend} compiles it. All shapes are known when it
 * is built. Not thread-safe.
 */
public final class Graph {
    private final String title;
    private final List<Value> inputs = new ArrayList<>();
    private final List<Value> outputs = new ArrayList<>();
    private final List<Op> ops = new ArrayList<>();
    private final Map<Value, List<String>> names = new IdentityHashMap<>();

    /** A graph titled "graph". */
    public Graph() {
        this("graph");
    }

    /** A graph with a title for profiles and traces. */
    public Graph(String title) {
        this.title = title;
    }

    /** Its title in profiles and traces. */
    public String title() {
        return title;
    }

    /** Adds an input, which every run takes as an argument. */
    public Value input(String name, DType dtype, int... dims) {
        Value input = Value.of(this, name, dtype, Shape.of(dims));
        inputs.add(input);
        return input;
    }

    /** Adds a weight. Its memory must outlive every executable of this graph. */
    public Value constant(String name, Tensor tensor) {
        return Value.constant(this, name, tensor);
    }

    /** Adds a value for an op to compute. */
    public Value value(String name, DType dtype, int... dims) {
        return Value.of(this, name, dtype, Shape.of(dims));
    }

    /**
     * Appends an op, whose inputs must exist, and returns its output.
     *
     * @throws IllegalArgumentException when an input belongs to another graph
     */
    public Value add(Op op) {
        for (Value input : op.inputs())
            if (input.graph() != this)
                throw new IllegalArgumentException(
                        op.getClass().getSimpleName() + " reads " + input + ", which belongs to another graph");
        ops.add(op);
        return op.output();
    }

    /**
     * Names an op's output, as models do for the outputs of their modules. A value may have several names: a block's output is also that of
     * its last layer.
     *
     * @return the value
     * @throws IllegalArgumentException for a weight or a value of another graph
     */
    public Value name(String name, Value value) {
        if (value.constant().isPresent() || value.graph() != this)
            throw new IllegalArgumentException(name + ": " + value + " is not computed in this graph");
        List<String> all = names.computeIfAbsent(value.storage(), unnamed -> new ArrayList<>());
        if (!all.contains(name)) all.add(name);
        return value;
    }

    /** The names of a value in the order they were given; empty for weights, inputs and most intermediate values. */
    public List<String> names(Value value) {
        return List.copyOf(names.getOrDefault(value.storage(), List.of()));
    }

    /**
     * Appends a value to the outputs.
     *
     * @throws IllegalArgumentException for a weight or a value of another graph
     */
    public void output(Value value) {
        if (value.graph() != this) throw new IllegalArgumentException(value + " belongs to another graph");
        if (value.constant().isPresent()) throw new IllegalArgumentException(value + " is a weight, not an output");
        outputs.add(value);
    }

    /** The inputs of a run, in order. */
    public List<Value> inputs() {
        return List.copyOf(inputs);
    }

    /** The outputs of a run, in order. */
    public List<Value> outputs() {
        return List.copyOf(outputs);
    }

    /** The ops in execution order. */
    public List<Op> ops() {
        return List.copyOf(ops);
    }

    /**
     * This graph with ops {@linkplain Op#fused fused} where they offer it. Its values, inputs and outputs are the same.
     *
     * @param alone ops that must not be fused
     * @param fuse the fusion of an op and the producer of one of its inputs; empty to keep them separate
     */
    public Graph fused(Predicate<Op> alone, BiFunction<Op, Op, Optional<Op>> fuse) {
        Map<Value, Integer> readers = new IdentityHashMap<>();
        for (Op op : ops) for (Value input : op.inputs()) readers.merge(input.storage(), 1, Integer::sum);
        for (Value output : outputs) readers.merge(output.storage(), 1, Integer::sum);
        Map<Value, Op> producers = new IdentityHashMap<>();
        Set<Op> remaining = Collections.newSetFromMap(new LinkedHashMap<>());
        for (Op op : ops) {
            Op fused = op;
            for (Value input : alone.test(op) ? List.<Value>of() : op.inputs()) {
                Op producer = producers.get(input.storage());
                if (producer == null || alone.test(producer) || readers.get(input.storage()) > 1) continue;
                Optional<Op> both = fuse.apply(fused, producer);
                if (both.isEmpty()) continue;
                fused = both.get();
                remaining.remove(producer);
            }
            remaining.add(fused);
            producers.put(fused.output().storage(), fused);
        }
        return with(outputs, remaining);
    }

    /** This graph with these values appended to its outputs. */
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
