package dev.gyre.nn.cpu;

/**
 * e to the x for arrays, to a relative error of 1e-7: x = n·ln 2 + r with |r| ≤ ½ ln 2, a polynomial of degree 7 in r
 * (Cephes' expf) and a scale by 2ⁿ. It takes two loops, because HotSpot vectorizes the first only when the exponent
 * bits are applied in another.
 */
public final class Exp {
    public static final float LOG2_E = 1.44269504f;
    static final float LN2_HIGH = 0.693359375f, LN2_LOW = -2.12194440e-4f;

    /** Adding and then subtracting it rounds to an integer: 1.5 · 2²³. */
    static final float ROUND = 12582912f;

    /** The polynomial's coefficients, from r⁷ down to r². */
    static final float C7 = 1.9875691500E-4f,
            C6 = 1.3981999507E-3f,
            C5 = 8.3334519073E-3f,
            C4 = 4.1665795894E-2f,
            C3 = 1.6666665459E-1f,
            C2 = 5.0000001201E-1f;

    /** Arguments are clamped to this range. */
    static final float MIN = -87f, MAX = 88f;

    /**
     * 2 to the x for |x| ≤ ½ to a relative error of 2.6e-6, a minimax fit: coefficients from x⁴ down to 1. For results
     * that are rounded to bf16.
     */
    static final float[] EXP2 = {0.00957006f, 0.05591786f, 0.24024746f, 0.69312182f, 0.99999926f};

    private Exp() {}

    /**
     * Sets x[i] = e^x[i] for i from 0 to {@code count - 1}, with x[i] clamped to −87 … 88. NaN stays NaN.
     *
     * @param bits scratch of at least {@code count} elements
     */
    static void inPlace(float[] x, int count, int[] bits) {
        polynomial(x, bits, count);
        scale(x, bits, count);
    }

    private static void polynomial(float[] x, int[] bits, int count) {
        for (int i = 0; i < count; i++) {
            float v = Math.max(MIN, Math.min(MAX, x[i]));
            float n = v * LOG2_E + ROUND - ROUND;
            float r = Math.fma(n, -LN2_LOW, Math.fma(n, -LN2_HIGH, v));
            float p = Math.fma(C7, r, C6);
            p = Math.fma(p, r, C5);
            p = Math.fma(p, r, C4);
            p = Math.fma(p, r, C3);
            p = Math.fma(p, r, C2);
            x[i] = Math.fma(p, r * r, r) + 1f;
            bits[i] = ((int) n + 127) << 23;
        }
    }

    private static void scale(float[] x, int[] bits, int count) {
        for (int i = 0; i < count; i++) x[i] *= Float.intBitsToFloat(bits[i]);
    }
}
