package dev.gyre.nn;

/** Sums along arrays in eight chains: one would wait for every addition, and lose more digits. */
final class Moments {
    private Moments() {}

    /** The sum of x[0 … count). */
    static float sum(float[] x, int count) {
        float a = 0f, b = 0f, c = 0f, d = 0f, e = 0f, f = 0f, g = 0f, h = 0f;
        int i = 0;
        for (; i <= count - 8; i += 8) {
            a += x[i];
            b += x[i + 1];
            c += x[i + 2];
            d += x[i + 3];
            e += x[i + 4];
            f += x[i + 5];
            g += x[i + 6];
            h += x[i + 7];
        }
        float rest = 0f;
        for (; i < count; i++) rest += x[i];
        return (a + b) + (c + d) + ((e + f) + (g + h)) + rest;
    }

    /** The sum of squared differences of x[0 … count) from {@code mean}. */
    static float squares(float[] x, int count, float mean) {
        float a = 0f, b = 0f, c = 0f, d = 0f, e = 0f, f = 0f, g = 0f, h = 0f;
        int i = 0;
        for (; i <= count - 8; i += 8) {
            a = square(x[i] - mean, a);
            b = square(x[i + 1] - mean, b);
            c = square(x[i + 2] - mean, c);
            d = square(x[i + 3] - mean, d);
            e = square(x[i + 4] - mean, e);
            f = square(x[i + 5] - mean, f);
            g = square(x[i + 6] - mean, g);
            h = square(x[i + 7] - mean, h);
        }
        float rest = 0f;
        for (; i < count; i++) rest = square(x[i] - mean, rest);
        return (a + b) + (c + d) + ((e + f) + (g + h)) + rest;
    }

    private static float square(float d, float sum) {
        return Math.fma(d, d, sum);
    }
}
