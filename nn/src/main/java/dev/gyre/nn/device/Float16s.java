package dev.gyre.nn.device;

import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.vectors.Float16;

/** Helpers for device kernels that process 16 floats at a time; TornadoVM inlines them. */
public final class Float16s {
    /** Floats of a vector. */
    public static final int COUNT = 16;

    private Float16s() {}

    /**
     * {@code iterations}, hidden from the compiler's constant folding. TornadoVM 5.2 unrolls loops with few iterations and
     * then uses the last iteration's vectors for all of them, so loops that make vectors must end here.
     *
     * @param iterations iterations of the loop
     * @param n the parallel loop's variable, which is never negative
     */
    public static int tripCount(int iterations, int n) {
        return iterations + TornadoMath.min(n, 0);
    }

    public static Float16 load(FloatArray a, int i) {
        return new Float16(
                a.get(i),
                a.get(i + 1),
                a.get(i + 2),
                a.get(i + 3),
                a.get(i + 4),
                a.get(i + 5),
                a.get(i + 6),
                a.get(i + 7),
                a.get(i + 8),
                a.get(i + 9),
                a.get(i + 10),
                a.get(i + 11),
                a.get(i + 12),
                a.get(i + 13),
                a.get(i + 14),
                a.get(i + 15));
    }

    public static Float16 broadcast(float v) {
        return new Float16(v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v);
    }

    public static void store(FloatArray a, int i, Float16 v) {
        a.set(i, v.getS0());
        a.set(i + 1, v.getS1());
        a.set(i + 2, v.getS2());
        a.set(i + 3, v.getS3());
        a.set(i + 4, v.getS4());
        a.set(i + 5, v.getS5());
        a.set(i + 6, v.getS6());
        a.set(i + 7, v.getS7());
        a.set(i + 8, v.getS8());
        a.set(i + 9, v.getS9());
        a.set(i + 10, v.getS10());
        a.set(i + 11, v.getS11());
        a.set(i + 12, v.getS12());
        a.set(i + 13, v.getS13());
        a.set(i + 14, v.getS14());
        a.set(i + 15, v.getS15());
    }

    /** sum + v · factor. */
    public static Float16 multiplyAdd(Float16 sum, Float16 v, float factor) {
        return Float16.add(sum, Float16.mult(v, factor));
    }

    /**
     * eˣ for x ≤ 0 in operations that compilers vectorize, which calls of exp are not: a scale by 2⁻ⁿ and a Taylor
     * series for the rest. Results below 2⁻⁶⁰ become 2⁻⁶⁰.
     */
    public static float exp(float x) {
        float t = TornadoMath.max(x * 1.442695041f, -60f);
        int n = (int) (0.5f - t), half = n / 2;
        float u = (t + n) * 0.6931471806f;
        float sum = 1f / 720f + u * (1f / 5040f);
        sum = 1f / 120f + u * sum;
        sum = 1f / 24f + u * sum;
        sum = 1f / 6f + u * sum;
        sum = 0.5f + u * sum;
        sum = 1f + u * sum;
        return (1f + u * sum) / ((float) (1 << half) * (float) (1 << n - half));
    }

    public static float sum(Float16 v) {
        float a = (v.getS0() + v.getS1()) + (v.getS2() + v.getS3());
        float b = (v.getS4() + v.getS5()) + (v.getS6() + v.getS7());
        float c = (v.getS8() + v.getS9()) + (v.getS10() + v.getS11());
        float d = (v.getS12() + v.getS13()) + (v.getS14() + v.getS15());
        return (a + b) + (c + d);
    }

    public static float max(Float16 v) {
        float a = TornadoMath.max(TornadoMath.max(v.getS0(), v.getS1()), TornadoMath.max(v.getS2(), v.getS3()));
        float b = TornadoMath.max(TornadoMath.max(v.getS4(), v.getS5()), TornadoMath.max(v.getS6(), v.getS7()));
        float c = TornadoMath.max(TornadoMath.max(v.getS8(), v.getS9()), TornadoMath.max(v.getS10(), v.getS11()));
        float d = TornadoMath.max(TornadoMath.max(v.getS12(), v.getS13()), TornadoMath.max(v.getS14(), v.getS15()));
        return TornadoMath.max(TornadoMath.max(a, b), TornadoMath.max(c, d));
    }
}
