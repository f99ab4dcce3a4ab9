package dev.gyre.core;

/** The element types of a {@link Tensor}, with the names that checkpoints use. All are little-endian. */
public enum DType {
    /** IEEE 754 binary32. */
    F32(4, 1),

    /** IEEE 754 binary16: 10 mantissa bits, largest finite value 65504. */
    F16(2, 1),

    /** bfloat16, the upper half of an {@link #F32}: the same range with 7 mantissa bits. */
    BF16(2, 1),

    /** Signed 32-bit integers: token ids, indices. */
    I32(4, 1),

    /** Signed 64-bit integers. */
    I64(8, 1),

    /** Unsigned 8-bit integers. */
    U8(1, 1),

    /** ggml's 8-bit quantization, blocks of 32 elements with one scale; see {@link Q8}. For weights only. */
    Q8_0(Q8.BYTES, Q8.BLOCK);

    private final int bytes;
    private final int block;

    DType(int bytes, int block) {
        this.bytes = bytes;
        this.block = block;
    }

    /**
     * The size of {@code elements} elements in bytes.
     *
     * @throws IllegalArgumentException when {@code elements} is not a multiple of the block size
     */
    public long bytes(long elements) {
        if (elements % block != 0)
            throw new IllegalArgumentException(
                    this + " comes in blocks of " + block + " elements, got " + elements + " elements");
        return elements / block * bytes;
    }

    /** Whether {@link Tensor#read} converts the elements to floats. */
    public boolean isFloating() {
        return this == F32 || this == F16 || this == BF16 || this == Q8_0;
    }
}
