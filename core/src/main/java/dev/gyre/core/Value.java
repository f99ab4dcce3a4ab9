package dev.gyre.core;

import java.util.List;
import java.util.Optional;

/**
 * A tensor's place in a {@link Graph}: a constant (a weight), an input, what an op makes, or scratch between an op's steps. It has
 * a shape and a type, and no memory until a backend plans it.
 *
 * <p>Values are compared by identity.
 */
public final class Value {
    private final Graph graph;
    private final String name;
    private final DType dtype;
    private final Shape shape;
    private final Tensor tensor;
    private final Value storage;

    private Value(Graph graph, String name, DType dtype, Shape shape, Tensor tensor, Value storage) {
        this.graph = graph;
        this.name = name;
        this.dtype = dtype;
        this.shape = shape;
        this.tensor = tensor;
        this.storage = storage == null ? this : storage;
    }

    static Value of(Graph graph, String name, DType dtype, Shape shape) {
        return new Value(graph, name, dtype, shape, null, null);
    }

    static Value constant(Graph graph, String name, Tensor tensor) {
        return new Value(graph, name, tensor.dtype(), tensor.shape(), tensor, null);
    }

    /** What an op keeps between two of its steps; the planner places it. */
    public static Value scratch(DType dtype, int... dims) {
        return new Value(null, "scratch", dtype, Shape.of(dims), null, null);
    }

    /**
     * The same elements under another shape; nothing is computed or copied.
     *
     * @throws IllegalArgumentException when the number of elements differs
     */
    public Value reshape(int... dims) {
        Shape to = Shape.of(dims);
        if (to.elements() != shape.elements())
            throw new IllegalArgumentException(name() + ": cannot reshape " + shape + " to " + to);
        Tensor reshaped = tensor == null ? null : new Tensor(dtype, to, tensor.data());
        return new Value(graph, name, dtype, to, reshaped, storage);
    }

    /** An F32 value of the same graph, to be made by the op that asks for it. */
    public Value like(int... dims) {
        return of(graph, name(), DType.F32, Shape.of(dims));
    }

    /** The graph that it belongs to. */
    public Graph graph() {
        return graph;
    }

    /** The weight's key, the input's name, or for what an op made its {@linkplain Graph#names first name}, else that of what it was made from. */
    public String name() {
        List<String> given = tensor == null && graph != null ? graph.names(this) : List.of();
        return given.isEmpty() ? name : given.getFirst();
    }

    /** The type of its elements. */
    public DType dtype() {
        return dtype;
    }

    /** Its shape. */
    public Shape shape() {
        return shape;
    }

    /** The bytes of its elements. */
    public long bytes() {
        return dtype.bytes(shape.elements());
    }

    /** Size of dimension {@code i} of the shape; a negative {@code i} counts from the last. */
    public int dim(int i) {
        return shape.dim(i);
    }

    /** The value whose memory this one shares after {@link #reshape}; itself otherwise. */
    public Value storage() {
        return storage;
    }

    /** The elements of a constant; empty for everything else. */
    public Optional<Tensor> constant() {
        return Optional.ofNullable(tensor);
    }

    @Override
    public String toString() {
        return name() + " " + dtype + " " + shape;
    }
}
