package dev.gyre.nn.conv;

/**
 * The linear maps of Winograd's minimal filtering F(m, 3) (Lavin and Gray 2016, "Fast Algorithms for Convolutional
 * Neural Networks"), each along one dimension; a two-dimensional map applies one after the other. All run over arrays,
 * element by element: array {@code first + step · j} holds coordinate j of every element.
 */
enum WinogradTransform {
    /**
     * 2 × 2 outputs from 16 products: 2.25 times fewer than taps. Points 0, 1, −1, ∞. As exact as direct convolution.
     */
    F2(2) {
        @Override
        void input(float[][] d, float[][] to, int first, int step, int n) {
            input2(
                    d[first],
                    d[first + step],
                    d[first + 2 * step],
                    d[first + 3 * step],
                    to[first],
                    to[first + step],
                    to[first + 2 * step],
                    to[first + 3 * step],
                    n);
        }

        @Override
        void weight(float[] g0, float[] g1, float[] g2, float[][] to, int first, int step, int n) {
            weight2(g0, g1, g2, to[first], to[first + step], to[first + 2 * step], to[first + 3 * step], n);
        }

        @Override
        void output(float[][] m, int first, int step, float[][] to, int begin, int stride, int n) {
            output2(
                    m[first],
                    m[first + step],
                    m[first + 2 * step],
                    m[first + 3 * step],
                    to[begin],
                    to[begin + stride],
                    n);
        }
    },

    /**
     * 4 × 4 outputs from 36 products: 4 times fewer than taps. Points 0, ±3/4, ±3/2, ∞, which lose half as much as the
     * usual 0, ±1, ±2, ∞: about two bits against direct convolution.
     */
    F4(4) {
        @Override
        void input(float[][] d, float[][] to, int first, int step, int n) {
            input4(
                    d[first],
                    d[first + step],
                    d[first + 2 * step],
                    d[first + 3 * step],
                    d[first + 4 * step],
                    d[first + 5 * step],
                    to[first],
                    to[first + step],
                    to[first + 2 * step],
                    to[first + 3 * step],
                    to[first + 4 * step],
                    to[first + 5 * step],
                    n);
        }

        @Override
        void weight(float[] g0, float[] g1, float[] g2, float[][] to, int first, int step, int n) {
            weight4(
                    g0,
                    g1,
                    g2,
                    to[first],
                    to[first + step],
                    to[first + 2 * step],
                    to[first + 3 * step],
                    to[first + 4 * step],
                    to[first + 5 * step],
                    n);
        }

        @Override
        void output(float[][] m, int first, int step, float[][] to, int begin, int stride, int n) {
            output4(
                    m[first],
                    m[first + step],
                    m[first + 2 * step],
                    m[first + 3 * step],
                    m[first + 4 * step],
                    m[first + 5 * step],
                    to[begin],
                    to[begin + stride],
                    to[begin + 2 * stride],
                    to[begin + 3 * stride],
                    n);
        }
    };

    /** Outputs along one dimension. */
    final int out;

    /** Inputs, and products, along one dimension. */
    final int side;

    WinogradTransform(int out) {
        this.out = out;
        this.side = out + 2;
    }

    /** Inputs to points: Bᵀ d. {@code to} has the layout of {@code d} and must not alias it. */
    abstract void input(float[][] d, float[][] to, int first, int step, int n);

    /** Taps to points: G g. */
    abstract void weight(float[] g0, float[] g1, float[] g2, float[][] to, int first, int step, int n);

    /** Points to outputs: Aᵀ m. */
    abstract void output(float[][] m, int first, int step, float[][] to, int begin, int stride, int n);

    private static void input2(
            float[] d0, float[] d1, float[] d2, float[] d3, float[] t0, float[] t1, float[] t2, float[] t3, int n) {
        for (int i = 0; i < n; i++) {
            float a = d0[i], b = d1[i], c = d2[i], d = d3[i];
            t0[i] = a - c;
            t1[i] = b + c;
            t2[i] = c - b;
            t3[i] = b - d;
        }
    }

    private static void weight2(
            float[] g0, float[] g1, float[] g2, float[] t0, float[] t1, float[] t2, float[] t3, int n) {
        for (int i = 0; i < n; i++) {
            float a = g0[i], b = 0.5f * g1[i], c = g2[i], e = 0.5f * (a + c);
            t0[i] = a;
            t1[i] = e + b;
            t2[i] = e - b;
            t3[i] = c;
        }
    }

    private static void output2(float[] m0, float[] m1, float[] m2, float[] m3, float[] t0, float[] t1, int n) {
        for (int i = 0; i < n; i++) {
            float a = m1[i], b = m2[i];
            t0[i] = m0[i] + a + b;
            t1[i] = a - b - m3[i];
        }
    }

    /** The points besides 0 and ∞ are ±P and ±Q. */
    static final float P = 0.75f, Q = 1.5f;

    private static final float P2 = P * P, Q2 = Q * Q, P3 = P * P2, Q3 = Q * Q2;

    private static void input4(
            float[] d0,
            float[] d1,
            float[] d2,
            float[] d3,
            float[] d4,
            float[] d5,
            float[] t0,
            float[] t1,
            float[] t2,
            float[] t3,
            float[] t4,
            float[] t5,
            int n) {
        for (int i = 0; i < n; i++) {
            float a = d0[i], b = d1[i], c = d2[i], d = d3[i], e = d4[i], f = d5[i];
            float evenP = Math.fma(-Q2, c, e), oddP = P * Math.fma(-Q2, b, d);
            float evenQ = Math.fma(-P2, c, e), oddQ = Q * Math.fma(-P2, b, d);
            t0[i] = Math.fma(P2 * Q2, a, Math.fma(-P2 - Q2, c, e));
            t1[i] = evenP + oddP;
            t2[i] = evenP - oddP;
            t3[i] = evenQ + oddQ;
            t4[i] = evenQ - oddQ;
            t5[i] = Math.fma(P2 * Q2, b, Math.fma(-P2 - Q2, d, f));
        }
    }

    private static void weight4(
            float[] g0,
            float[] g1,
            float[] g2,
            float[] t0,
            float[] t1,
            float[] t2,
            float[] t3,
            float[] t4,
            float[] t5,
            int n) {
        float p = 1 / (2 * P2 * (P2 - Q2)), q = 1 / (2 * Q2 * (Q2 - P2)), zero = 1 / (P2 * Q2);
        for (int i = 0; i < n; i++) {
            float a = g0[i], b = g1[i], c = g2[i];
            float evenP = p * Math.fma(P2, c, a), oddP = p * P * b;
            float evenQ = q * Math.fma(Q2, c, a), oddQ = q * Q * b;
            t0[i] = zero * a;
            t1[i] = evenP + oddP;
            t2[i] = evenP - oddP;
            t3[i] = evenQ + oddQ;
            t4[i] = evenQ - oddQ;
            t5[i] = c;
        }
    }

    private static void output4(
            float[] m0,
            float[] m1,
            float[] m2,
            float[] m3,
            float[] m4,
            float[] m5,
            float[] t0,
            float[] t1,
            float[] t2,
            float[] t3,
            int n) {
        for (int i = 0; i < n; i++) {
            float a = m1[i], b = m2[i], c = m3[i], d = m4[i];
            float evenP = a + b, oddP = a - b, evenQ = c + d, oddQ = c - d;
            t0[i] = m0[i] + evenP + evenQ;
            t1[i] = Math.fma(P, oddP, Q * oddQ);
            t2[i] = Math.fma(P2, evenP, Q2 * evenQ);
            t3[i] = Math.fma(P3, oddP, Math.fma(Q3, oddQ, m5[i]));
        }
    }
}
