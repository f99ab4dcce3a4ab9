package dev.gyre.core;

import dev.gyre.machine.NativeCode;
import java.util.Optional;

/**
 * The element type of the operands of matrix products, convolutions and attention. Sums and values between layers are
 * always 32-bit floats.
 */
public enum Precision {
    /** 32-bit floats. */
    F32,
    /** Elements rounded to bf16 (8 bits of precision); requires bf16 instructions. */
    BF16;

    /** The name in options: {@code f32}, {@code bf16}. */
    public String label() {
        return name().toLowerCase();
    }

    /** @throws IllegalArgumentException when there is no precision of that name */
    public static Precision named(String name) {
        for (Precision precision : values()) if (precision.label().equals(name)) return precision;
        throw new IllegalArgumentException("precision: expected f32 or bf16, got " + name);
    }

    /** Why the JVM backend does not support this precision here; empty where it does. */
    public Optional<String> refusal() {
        return this == BF16 ? NativeCode.HERE.bf16Refusal() : Optional.empty();
    }
}
