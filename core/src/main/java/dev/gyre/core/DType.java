package dev.gyre.core;

/** The element types of a {@link Tensor}, named as checkpoints name them. All are little-endian. */
public enum DType {
    F32(4),
    F16(2),
    BF16(2),
    I32(4),
    I64(8),
    U8(1);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /** The bytes of one element. */
    public int bytes() {
        return bytes;
    }
}
