package dev.gyre.core;

/** The element types of a {@link Tensor}, named as checkpoints name them. All are little-endian. */
public enum DType {
    /** IEEE 754's binary32. */
    F32(4, 1),

    /** IEEE 754's binary16: 10 bits of mantissa, at most 65504. */
    F16(2, 1),

    /** The upper half of an {@link #F32}: its range, 7 bits of mantissa. */
    BF16(2, 1),

    /** Signed integers of 32 bits: tokens, indices. */
    I32(4, 1),

    /** Signed integers of 64 bits. */
    I64(8, 1),

    /** Unsigned bytes. */
    U8(1, 1),

    /** Eight bits a weight, 32 of them with one scale: see {@link Q8}. Only weights are of it. */
    Q8_0(Q8.BYTES, Q8.BLOCK);

    private final int bytes;
    private final int block;

    DType(int bytes, int block) {
        this.bytes = bytes;
        this.block = block;
    }

    /**
     * The bytes of so many elements.
     *
     * @throws IllegalArgumentException when they fill no whole blocks
     */
    public long bytes(long elements) {
        if (elements % block != 0)
            throw new IllegalArgumentException(
                    this + " comes in blocks of " + block + " elements, got " + elements + " elements");
        return elements / block * bytes;
    }

    /** Whether elements are read as floats. */
    public boolean isFloating() {
        return this == F32 || this == F16 || this == BF16 || this == Q8_0;
    }
}
