package dev.gyre.jsafetensors;

import java.util.Arrays;
import java.util.Optional;

/** The element types that the format defines: what a file may store. {@code dev.gyre.core.DType} is what Gyre computes with. */
public enum StoredType {
    /** A byte, 0 or 1. */
    BOOL(8),

    /** Two to a byte: sign, 2 bits of exponent, 1 of mantissa (OCP Microscaling's FP4). */
    F4(4),

    /** Four to three bytes: sign, 2 bits of exponent, 3 of mantissa (OCP Microscaling's FP6). */
    F6_E2M3(6),

    /** Four to three bytes: sign, 3 bits of exponent, 2 of mantissa (OCP Microscaling's FP6). */
    F6_E3M2(6),

    /** An unsigned byte. */
    U8(8),

    /** A signed byte. */
    I8(8),

    /** Sign, 5 bits of exponent, 2 of mantissa, with infinities (OCP FP8). */
    F8_E5M2(8),

    /** Sign, 4 bits of exponent, 3 of mantissa, no infinities (OCP FP8, PyTorch's {@code float8_e4m3fn}). */
    F8_E4M3(8),

    /** A power of two, a byte of exponent alone: the scale of OCP Microscaling's blocks. */
    F8_E8M0(8),

    /** As {@link #F8_E4M3} with another bias, one zero and one NaN (PyTorch's {@code float8_e4m3fnuz}). */
    F8_E4M3FNUZ(8),

    /** As {@link #F8_E5M2} with another bias, one zero, one NaN and no infinities (PyTorch's {@code float8_e5m2fnuz}). */
    F8_E5M2FNUZ(8),

    /** A signed integer of 16 bits. */
    I16(16),

    /** An unsigned integer of 16 bits. */
    U16(16),

    /** IEEE 754's binary16: sign, 5 bits of exponent, 10 of mantissa. */
    F16(16),

    /** The upper half of an {@link #F32}: sign, 8 bits of exponent, 7 of mantissa. */
    BF16(16),

    /** A signed integer of 32 bits. */
    I32(32),

    /** An unsigned integer of 32 bits. */
    U32(32),

    /** IEEE 754's binary32, Java's float. */
    F32(32),

    /** A complex number: two {@link #F32}, the real part first. */
    C64(64),

    /** IEEE 754's binary64, Java's double. */
    F64(64),

    /** A signed integer of 64 bits. */
    I64(64),

    /** An unsigned integer of 64 bits. */
    U64(64);

    private final int bits;

    StoredType(int bits) {
        this.bits = bits;
    }

    /** The bits of one element. */
    public int bits() {
        return bits;
    }

    /** Whether this library gives out the data: F32, F16, BF16, I32, I64 and U8. The others are listed only. */
    public boolean readable() {
        return switch (this) {
            case F32, F16, BF16, I32, I64, U8 -> true;
            default -> false;
        };
    }

    static Optional<StoredType> named(String name) {
        return Arrays.stream(values()).filter(d -> d.name().equals(name)).findFirst();
    }
}
