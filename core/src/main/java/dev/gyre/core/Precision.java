package dev.gyre.core;

import dev.gyre.machine.NativeCode;
import java.util.Optional;

/** What matrix products, convolutions and attention multiply. Sums, and what goes from layer to layer, are 32-bit floats always. */
public enum Precision {
    /** 32-bit floats. */
    F32,
    /** Numbers rounded to bf16 (8 bits of mantissa): needs a processor with instructions for it. */
    BF16;

    /** As users write it: {@code f32}, {@code bf16}. */
    public String label() {
        return name().toLowerCase();
    }

    /** @throws IllegalArgumentException when there is none of that name */
    public static Precision named(String name) {
        for (Precision precision : values()) if (precision.label().equals(name)) return precision;
        throw new IllegalArgumentException("precision: f32 or bf16, got " + name);
    }

    /** Why the JVM backend cannot work in this precision here; empty where it can. */
    public Optional<String> refusal() {
        return this == BF16 ? NativeCode.HERE.bf16Refusal() : Optional.empty();
    }
}
