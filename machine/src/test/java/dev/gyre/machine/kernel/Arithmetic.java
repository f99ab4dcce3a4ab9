package dev.gyre.machine.kernel;

/** The processor's arithmetic on the bits of floats, including the payloads of NaNs. */
final class Arithmetic {
    private static final int QUIET = 0x0040_0000, INDEFINITE = 0xFFC0_0000, SIGN = 0x8000_0000;

    /** On numbers other than NaN. */
    interface Binary {
        float of(float a, float b);
    }

    private Arithmetic() {}

    static float f(int bits) {
        return Float.intBitsToFloat(bits);
    }

    static boolean isNaN(int bits) {
        return Float.isNaN(f(bits));
    }

    /** The first NaN, otherwise the operation's result. */
    static int binary(int a, int b, Binary operation) {
        if (isNaN(a)) return a | QUIET;
        if (isNaN(b)) return b | QUIET;
        return number(operation.of(f(a), f(b)));
    }

    /** a · b + c, rounded once. */
    static int fma(int a, int b, int c) {
        for (int bits : new int[] {a, b, c}) if (isNaN(bits)) return bits | QUIET;
        return number(Math.fma(f(a), f(b), f(c)));
    }

    /** Likewise, flushing subnormals to zero, as bf16 instructions do whatever MXCSR says. */
    static int flushedFma(int a, int b, int c) {
        return flushed(fma(flushed(a), flushed(b), flushed(c)));
    }

    private static int flushed(int bits) {
        return (bits & 0x7F80_0000) == 0 ? bits & SIGN : bits;
    }

    private static int number(float outcome) {
        return Float.isNaN(outcome) ? INDEFINITE : Float.floatToRawIntBits(outcome);
    }

    /** Rounds towards zero; out of range, the smallest 32-bit integer. */
    static int truncated(int a) {
        float v = f(a);
        return v >= -0x1p31f && v < 0x1p31f ? (int) v : Integer.MIN_VALUE;
    }

    /** Rounds to the nearest integer, ties to even. */
    static int rounded(int a) {
        return isNaN(a) ? a | QUIET : Float.floatToRawIntBits((float) Math.rint(f(a)));
    }

    /** a · 2^⌊b⌋ (the manual's tables of special cases are VSCALEFPS's). */
    static int scaled(int a, int b) {
        boolean signaling = isNaN(a) && (a & QUIET) == 0;
        float to = f(b);
        if (isNaN(a) && !signaling && to == Float.POSITIVE_INFINITY) return Float.floatToRawIntBits(to);
        if (isNaN(a) && !signaling && to == Float.NEGATIVE_INFINITY) return 0;
        if (isNaN(a)) return a | QUIET;
        if (isNaN(b)) return b | QUIET;
        if (Float.isInfinite(to)) return number(f(a) * (to > 0 ? to : 0f));
        return number(Math.scalb(f(a), (int) Math.floor(to)));
    }

    /** Rounds to bf16, to nearest even, in the lower half. */
    static int bf16(int a) {
        if (isNaN(a)) return (a | QUIET) >>> 16;
        int bits = flushed(a);
        return bits + 0x7FFF + (bits >>> 16 & 1) >>> 16;
    }
}
