package dev.gyre.machine;

/** Instruction sets that a processor may have and its operating system must enable. */
public enum Feature {
    /** Vectors of 256 bits with fused multiply-adds, conversion of 16-bit floats (F16C), and BMI2. */
    AVX2,
    /** Vectors of 512 bits with masks: foundation, byte and word, doubleword and quadword. */
    AVX512,
    /** Dot products of bf16 pairs in vectors of 512 bits. */
    AVX512_BF16,
    /** Matrix products on tiles of bf16 elements. */
    AMX_BF16;

    /** The name that the property {@value NativeCode#WITHOUT} takes. */
    public String label() {
        return name().toLowerCase();
    }
}
