package dev.gyre.nn.cpu;

import dev.gyre.machine.kernel.ErfKernels;
import java.util.List;
import uk.ac.manchester.tornado.api.math.TornadoMath;

/** The error function as device kernels, Java loops and machine code compute it. */
public final class Erf {
    private static final float BOUND = 4f;

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
    static final ErfKernels KERNELS =
            new ErfKernels(BOUND, List.of(P6, P5, P4, P3, P2, P1, P0), List.of(Q4, Q3, Q2, Q1, Q0));

    private Erf() {}

    /**
     * The error function to about 1e-7: an odd rational minimax approximation on [−4, 4], beyond which ±1 is exact in a
     * float. A helper for kernels: TornadoVM inlines it.
     */
    public static float erf(float x) {
        float v = TornadoMath.max(-BOUND, TornadoMath.min(BOUND, x));
        float s = v * v;
        float p = (((((P6 * s + P5) * s + P4) * s + P3) * s + P2) * s + P1) * s + P0;
        float q = (((Q4 * s + Q3) * s + Q2) * s + Q1) * s + Q0;
        return v * p / q;
    }

    /** {@link #erf} with fused multiply-adds; bit for bit the result of {@link ErfKernels}. */
    static float erfFused(float x) {
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
