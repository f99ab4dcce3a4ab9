package dev.gyre.nn;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.Op;
import dev.gyre.core.Step;
import dev.gyre.core.Value;
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
        float v = TornadoMath.max(-4f, TornadoMath.min(4f, x));
        float s = v * v;
        float p = -2.72614225801306e-10f;
        p = p * s + 2.77068142495902e-08f;
        p = p * s - 2.10102402082508e-06f;
        p = p * s - 5.69250639462346e-05f;
        p = p * s - 7.34990630326855e-04f;
        p = p * s - 2.95459980854025e-03f;
        p = p * s - 1.60960333262415e-02f;
        float q = -1.45660718464996e-05f;
        q = q * s - 2.13374055278905e-04f;
        q = q * s - 1.68282697438203e-03f;
        q = q * s - 7.37332916720468e-03f;
        q = q * s - 1.42647390514189e-02f;
        return v * p / q;
    }

    @Override
    public Optional<JvmKernel> jvm() {
        return Optional.of(Elementwise.map(x, y, (v, n, scratch) -> inPlace(v, n)));
    }

    static void inPlace(float[] v, int n) {
        for (int i = 0; i < n; i++) v[i] = 0.5f * v[i] * (1f + erf(v[i] * 0.70710678f));
    }
}
