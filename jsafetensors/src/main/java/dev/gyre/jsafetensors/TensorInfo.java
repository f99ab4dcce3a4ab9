package dev.gyre.jsafetensors;

import java.util.List;

/**
 * What a file's header says of a tensor.
 *
 * @param shape sizes of the dimensions, outermost first; none is a scalar
 * @param begin offset of its first byte behind the header
 * @param end offset behind its last byte
 */
public record TensorInfo(String name, DType dtype, List<Long> shape, long begin, long end) {
    public TensorInfo {
        shape = List.copyOf(shape);
    }

    public long elements() {
        long elements = 1;
        for (long dim : shape) elements *= dim;
        return elements;
    }

    public long bytes() {
        return end - begin;
    }
}
