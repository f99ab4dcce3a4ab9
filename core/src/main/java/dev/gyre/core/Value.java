package dev.gyre.core;

import java.util.List;
import java.util.Optional;

/**
 * A tensor in a {@link Graph}: a constant (a weight), an input, an op's output, or scratch between the kernel calls of an op. It has a
 * shape and a type; a backend assigns its memory.
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

    /** Scratch memory that the kernel calls of one op share; the planner assigns it. */
    public static Value scratch(DType dtype, int... dims) {
        return new Value(null, "scratch", dtype, Shape.of(dims), null, null);
    }

    /**
     * A view of the same elements with another shape.
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

    /** A new F32 value in the same graph, for an op that computes it. */
    public Value like(int... dims) {
        return of(graph, name(), DType.F32, Shape.of(dims));
    }

    /** Its graph. */
    public Graph graph() {
        return graph;
    }

    /** A weight's key, an input's name, or an op output's {@linkplain Graph#names first name}; unnamed, the name of what it derives from. */
    public String name() {
        List<String> given = tensor == null && graph != null ? graph.names(this) : List.of();
        return given.isEmpty() ? name : given.getFirst();
    }

    /** The element type. */
    public DType dtype() {
        return dtype;
    }

    /** Its shape. */
    public Shape shape() {
        return shape;
    }

    /** The size of its elements in bytes. */
    public long bytes() {
        return dtype.bytes(shape.elements());
    }

    /** The size of dimension {@code i}; a negative {@code i} counts from the last. */
    public int dim(int i) {
        return shape.dim(i);
    }

    /** The value whose memory this one shares after {@link #reshape}; itself otherwise. */
    public Value storage() {
        return storage;
    }

    /** The elements of a constant; empty for any other value. */
    public Optional<Tensor> constant() {
        return Optional.ofNullable(tensor);
    }

    @Override
    public String toString() {
        return name() + " " + dtype + " " + shape;
    }
}
