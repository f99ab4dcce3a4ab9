package dev.gyre.nn;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.Op;
import dev.gyre.core.Step;
import dev.gyre.core.Value;
import dev.gyre.machine.ErrorFunction;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * y = x · Φ(x) with the exact normal distribution, element by element (Hendrycks and Gimpel 2016).
 *
 * @param x any shape
 * @param y as x
 */
public record Gelu(Value x, Value y) implements Op {
    static final float BOUND = 4f;

    private static final float P6 = -2.72614225801306e-10f,
            P5 = 2.77068142495902e-08f,
            P4 = -2.10102402082508e-06f,
            P3 = -5.69250639462346e-05f,
            P2 = -7.34990630326855e-04f,
            P1 = -2.95459980854025e-03f,
            P0 = -1.60960333262415e-02f;
    private static final float Q4 = -1.45660718464996e-05f,
            Q3 = -2.13374055278905e-04f,
            Q2 = -1.68282697438203e-03f,
            Q1 = -7.37332916720468e-03f,
            Q0 = -1.42647390514189e-02f;

    /** {@link #erf} for machine code. */
    static final ErrorFunction ERF =
            new ErrorFunction(BOUND, List.of(P6, P5, P4, P3, P2, P1, P0), List.of(Q4, Q3, Q2, Q1, Q0));

    /** Takes any shape; gives the same. */
    public static Value of(Value x) {
        return Elementwise.like(x, y -> new Gelu(x, y));
    }

    @Override
    public List<Value> inputs() {
        return List.of(x);
    }

    @Override
    public Value output() {
        return y;
    }

    @Override
    public List<Step> loops() {
        return List.of(Step.of(y.shape().elements(), Gelu::gelu, x, y));
    }

    /** The definition. */
    public static void gelu(int begin, int count, FloatArray x, FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            int i = begin + k;
            float v = x.get(i);
            y.set(i, 0.5f * v * (1f + erf(v * 0.70710678f)));
        }
    }

    /**
     * The error function, to about 1e-7: an odd rational function of minimax fit on [−4, 4], where beyond it ±1 is exact in a
     * float. A kernel's helper: TornadoVM compiles it into the loop.
     */
    static float erf(float x) {
        float v = TornadoMath.max(-BOUND, TornadoMath.min(BOUND, x));
        float s = v * v;
        float p = (((((P6 * s + P5) * s + P4) * s + P3) * s + P2) * s + P1) * s + P0;
        float q = (((Q4 * s + Q3) * s + Q2) * s + Q1) * s + Q0;
        return v * p / q;
    }

    @Override
    public Optional<JvmKernel> jvm() {
        return Optional.of(Elementwise.map(x, y, Gelu::inPlace));
    }

    static void inPlace(float[] v, int n) {
        for (int i = 0; i < n; i++) v[i] = 0.5f * v[i] * (1f + fusedErf(v[i] * 0.70710678f));
    }

    /** {@link #erf} in fused multiply-adds: {@link ErrorFunction}'s bits. */
    private static float fusedErf(float x) {
        float v = Math.max(-BOUND, Math.min(BOUND, x));
        float s = v * v;
        float p = Math.fma(P6, s, P5);
        p = Math.fma(p, s, P4);
        p = Math.fma(p, s, P3);
        p = Math.fma(p, s, P2);
        p = Math.fma(p, s, P1);
        p = Math.fma(p, s, P0);
        float q = Math.fma(Q4, s, Q3);
        q = Math.fma(q, s, Q2);
        q = Math.fma(q, s, Q1);
        q = Math.fma(q, s, Q0);
        return v * p / q;
    }
}
