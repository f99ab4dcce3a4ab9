package dev.gyre.core;

/** Element types of a {@link Tensor}, named as in safetensors checkpoints. All are little-endian. */
public enum DType {
    /** IEEE 754 binary32. */
    F32(4, 1),

    /** IEEE 754 binary16: 10 bits of mantissa, at most 65504. */
    F16(2, 1),

    /** The upper half of an {@link #F32}: the same range, 7 bits of mantissa. */
    BF16(2, 1),

    /** Signed 32-bit integers: tokens, indices. */
    I32(4, 1),

    /** Signed 64-bit integers. */
    I64(8, 1),

    /** Unsigned 8-bit integers. */
    U8(1, 1),

    /** 8-bit quantized weights in blocks of 32 that share a scale: see {@link Q8}. Only weights have this type. */
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
     * @throws IllegalArgumentException when they are not a whole number of blocks
     */
    public long bytes(long elements) {
        if (elements % block != 0)
            throw new IllegalArgumentException(
                    this + " comes in blocks of " + block + " elements, got " + elements + " elements");
        return elements / block * bytes;
    }

    /** Whether elements can be read as floats. */
    public boolean isFloating() {
        return this == F32 || this == F16 || this == BF16 || this == Q8_0;
    }
}
