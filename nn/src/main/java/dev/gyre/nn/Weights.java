package dev.gyre.nn;

import dev.gyre.core.DType;
import dev.gyre.core.Graph;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * A position in a checkpoint: layers ask it for tensors by the checkpoint's own keys,
 * {@code at("input_blocks.1.0").at("in_layers.0")}. A tensor that is missing or of another shape is recorded, and the
 * model's code goes on; {@link #check()} then reports all of them at once.
 */
public final class Weights {
    private final Graph graph;
    private final Function<String, Optional<Tensor>> source;
    private final Function<String, List<LowRank>> additions;
    private final String path;
    private final List<String> problems;
    private final Map<String, Shape> asked;

    private Weights(
            Graph graph,
            Function<String, Optional<Tensor>> source,
            Function<String, List<LowRank>> additions,
            String path,
            List<String> problems,
            Map<String, Shape> asked) {
        this.graph = graph;
        this.source = source;
        this.additions = additions;
        this.path = path;
        this.problems = problems;
        this.asked = asked;
    }

    /**
     * The root of a checkpoint for one graph.
     *
     * @param source finds a tensor by its full key
     */
    public static Weights of(Graph graph, Function<String, Optional<Tensor>> source) {
        return of(graph, source, layer -> List.of());
    }

    /**
     * The root of a checkpoint with low-rank adapters for one graph.
     *
     * @param source finds a tensor by its full key
     * @param additions finds a layer's adapters by the layer's full path
     */
    public static Weights of(
            Graph graph, Function<String, Optional<Tensor>> source, Function<String, List<LowRank>> additions) {
        return new Weights(graph, source, additions, "", new ArrayList<>(), new LinkedHashMap<>());
    }

    /** The position {@code name} below this one. */
    public Weights at(String name) {
        return new Weights(graph, source, additions, key(name), problems, asked);
    }

    /** The position {@code name.index} below this one: {@code at("layers", 3)} is {@code at("layers.3")}. */
    public Weights at(String name, int index) {
        return at(name + "." + index);
    }

    /** Whether the layer of this name has a weight here. */
    public boolean has(String layer) {
        return source.apply(key(layer + ".weight")).isPresent();
    }

    /** The tensor {@code name} here, which must have exactly this shape; {@link #check()} reports one that does not. */
    public Value get(String name, int... dims) {
        String key = key(name);
        Shape expected = Shape.of(dims);
        asked.put(key, expected);
        Optional<Tensor> found = source.apply(key);
        if (found.isPresent() && found.get().shape().equals(expected)) return graph.constant(key, found.get());
        problems.add(
                found.isEmpty()
                        ? key + ": missing, expected " + expected
                        : key + ": expected " + expected + ", found "
                                + found.get().shape());
        return graph.value(key, DType.F32, dims);
    }

    /** Names a value after this position, as the module's output; returns it. At the root it stays unnamed. */
    public Value named(Value value) {
        return path.isEmpty() ? value : graph.name(path, value);
    }

    /** Names a value after {@code name} at this position; returns it. */
    public Value named(String name, Value value) {
        return graph.name(key(name), value);
    }

    /** An adapter's matrix as a constant of the graph; {@code part} names it: "down", "mid" or "up". */
    public Value ofAdapter(String part, Tensor tensor) {
        return graph.constant(path + " (an adapter's " + part + ")", tensor);
    }

    /** The low-rank adapters of the layer whose weights are here. */
    public List<LowRank> additions() {
        return additions.apply(path);
    }

    /** The tensors missing or of another shape so far, a line each, over all positions of this checkpoint. */
    public List<String> problems() {
        return List.copyOf(problems);
    }

    /** The shape of every tensor requested so far, by key, over all positions of this checkpoint. */
    public Map<String, Shape> asked() {
        return Collections.unmodifiableMap(asked);
    }

    /** @throws IllegalArgumentException naming every requested tensor that is missing or of another shape */
    public void check() {
        if (!problems.isEmpty())
            throw new IllegalArgumentException(
                    problems.size() + " tensors do not fit the model:\n  " + String.join("\n  ", problems));
    }

    /** The graph that the weights belong to. */
    public Graph graph() {
        return graph;
    }

    private String key(String name) {
        return path.isEmpty() ? name : path + "." + name;
    }
}
