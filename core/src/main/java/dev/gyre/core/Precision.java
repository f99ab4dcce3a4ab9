package dev.gyre.core;

import dev.gyre.machine.NativeCode;
import java.util.Optional;

/** The operand type of matrix products, convolutions and attention. Accumulators and activations are always F32. */
public enum Precision {
    /** 32-bit floats. */
    F32,
    /** Operands rounded to bf16 (8 bits of significand): needs a processor with bf16 instructions. */
    BF16;

    /** The name that users write: {@code f32}, {@code bf16}. */
    public String label() {
        return name().toLowerCase();
    }

    /**
     * The precision with this {@link #label}.
     *
     * @throws IllegalArgumentException when there is none
     */
    public static Precision named(String name) {
        for (Precision precision : values()) if (precision.label().equals(name)) return precision;
        throw new IllegalArgumentException("precision: f32 or bf16, got " + name);
    }

    /** Why the JVM backend does not support this precision on this machine; empty if it does. */
    public Optional<String> refusal() {
        return this == BF16 ? NativeCode.HERE.bf16Refusal() : Optional.empty();
    }
}
