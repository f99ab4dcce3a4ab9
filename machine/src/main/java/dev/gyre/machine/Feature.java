package dev.gyre.machine;

/** Sets of instructions that a processor may have and its system must allow. */
public enum Feature {
    /** Vectors of 256 bits with fused multiply-adds, 16-bit floats to floats (F16C), and BMI2's few instructions on bits. */
    AVX2,
    /** Vectors of 512 bits with masks: foundation, byte and word, doubleword and quadword. */
    AVX512,
    /** Dot products of pairs of bf16 numbers in vectors of 512 bits. */
    AVX512_BF16,
    /** Products of whole tiles of bf16 numbers. */
    AMX_BF16;

    /** As the property {@value NativeCode#WITHOUT} takes it. */
    public String label() {
        return name().toLowerCase();
    }
}
