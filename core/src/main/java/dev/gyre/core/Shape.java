package dev.gyre.core;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The sizes of a tensor's dimensions, outermost first; a scalar has none.
 *
 * @param dims each at least 0, their product at most 2³¹−1
 */
public record Shape(List<Integer> dims) {
    /** @throws IllegalArgumentException when a dimension is negative or there are more than 2³¹−1 elements */
    public Shape {
        dims = List.copyOf(dims);
        long elements = 1;
        for (int dim : dims) {
            if (dim < 0)
                throw new IllegalArgumentException("a dimension must not be negative, got shape " + text(dims));
            elements = Math.multiplyExact(elements, (long) dim);
            if (elements > Integer.MAX_VALUE)
                throw new IllegalArgumentException("a tensor has at most 2^31-1 elements, got shape " + text(dims));
        }
    }

    /** The shape of these sizes, outermost first; without sizes, a scalar's. */
    public static Shape of(int... dims) {
        return new Shape(Arrays.stream(dims).boxed().toList());
    }

    /** The number of dimensions. */
    public int rank() {
        return dims.size();
    }

    /** The size of dimension {@code i}; a negative {@code i} counts from the last. */
    public int dim(int i) {
        return dims.get(i < 0 ? i + dims.size() : i);
    }

    /** The product of all dimensions. */
    public int elements() {
        int elements = 1;
        for (int dim : dims) elements *= dim;
        return elements;
    }

    /** As errors and tables show it: {@code [2, 320, 64, 64]}. */
    @Override
    public String toString() {
        return text(dims);
    }

    private static String text(List<Integer> dims) {
        return dims.stream().map(String::valueOf).collect(Collectors.joining(", ", "[", "]"));
    }
}
