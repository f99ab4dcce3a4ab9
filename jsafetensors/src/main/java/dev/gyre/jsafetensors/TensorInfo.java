package dev.gyre.jsafetensors;

import java.util.List;

/**
 * What a file's header says of a tensor.
 *
 * @param shape sizes of the dimensions, outermost first; none is a scalar
 * @param begin offset of its first byte behind the header
 * @param end offset behind its last byte
 */
public record TensorInfo(String name, StoredType dtype, List<Long> shape, long begin, long end) {
    /** Far beyond what any library writes; without a bound a shape could grow as large as the header. */
    static final int MAX_RANK = 64;

    /** Copies the shape. */
    public TensorInfo {
        shape = List.copyOf(shape);
    }

    /** How many elements: the product of all dimensions, 1 for a scalar. */
    public long elements() {
        long elements = 1;
        for (long dim : shape) elements *= dim;
        return elements;
    }

    /** How many bytes its data has. */
    public long bytes() {
        return end - begin;
    }

    /**
     * The bytes that a tensor takes.
     *
     * @throws IllegalArgumentException when the shape is none, or its size overflows or fills no whole bytes; the message
     *     continues the sentence "tensor x …"
     */
    static long bytes(StoredType dtype, List<Long> shape) {
        if (shape.size() > MAX_RANK) throw new IllegalArgumentException("has more than " + MAX_RANK + " dimensions");
        long bits;
        try {
            long elements = 1;
            for (long dim : shape) {
                if (dim < 0) throw new IllegalArgumentException("has a negative dimension: " + shape);
                elements = Math.multiplyExact(elements, dim);
            }
            bits = Math.multiplyExact(elements, dtype.bits());
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("of type " + dtype + " has a shape whose size overflows: " + shape, e);
        }
        if (bits % 8 != 0)
            throw new IllegalArgumentException(
                    "of type " + dtype + " and shape " + shape + " does not fill whole bytes: " + bits + " bits");
        return bits / 8;
    }
}
