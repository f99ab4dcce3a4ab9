package dev.gyre.jsafetensors;

import java.util.Arrays;
import java.util.Optional;

/** The element types that the format defines. */
public enum DType {
    BOOL(8),
    F4(4),
    F6_E2M3(6),
    F6_E3M2(6),
    U8(8),
    I8(8),
    F8_E5M2(8),
    F8_E4M3(8),
    F8_E8M0(8),
    F8_E4M3FNUZ(8),
    F8_E5M2FNUZ(8),
    I16(16),
    U16(16),
    F16(16),
    BF16(16),
    I32(32),
    U32(32),
    F32(32),
    C64(64),
    F64(64),
    I64(64),
    U64(64);

    private final int bits;

    DType(int bits) {
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

    static Optional<DType> named(String name) {
        return Arrays.stream(values()).filter(d -> d.name().equals(name)).findFirst();
    }
}
