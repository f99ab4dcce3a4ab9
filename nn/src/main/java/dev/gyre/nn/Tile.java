package dev.gyre.nn;

import java.util.Arrays;

/**
 * The innermost block of every matrix product: four rows of C gain four rows of B, each times one number of A. B and C are separate
 * arrays read with one index, which HotSpot turns into vector instructions by itself; the sixteen numbers of A stay in registers.
 *
 * <p>An element's sum is the same chain of fused multiply-adds in the order of k, wherever blocks and threads begin: a result does
 * not depend on how the work was cut.
 */
final class Tile {
    /** Rows of C, and rows of B, that one step takes. */
    static final int SIDE = 4;

    private Tile() {}

    /** {@code n} rounded up to whole tiles. */
    static int padded(int n) {
        return (n + SIDE - 1) / SIDE * SIDE;
    }

    /**
     * c[i][0…n) += Σ a[i][k] · b[k][0…n) for i = 0…3 and k = 0…depth−1.
     *
     * @param a four rows of at least {@code padded(depth)} numbers, zero from {@code depth} on
     * @param b at least {@code padded(depth)} rows, all finite
     * @param c four different arrays
     */
    static void multiply(float[][] a, float[][] b, int depth, float[] c0, float[] c1, float[] c2, float[] c3, int n) {
        for (int k = 0; k < depth; k += SIDE)
            step(a[0], a[1], a[2], a[3], k, b[k], b[k + 1], b[k + 2], b[k + 3], c0, c1, c2, c3, n);
    }

    private static void step(
            float[] p,
            float[] q,
            float[] r,
            float[] s,
            int k,
            float[] b0,
            float[] b1,
            float[] b2,
            float[] b3,
            float[] c0,
            float[] c1,
            float[] c2,
            float[] c3,
            int n) {
        float p0 = p[k], p1 = p[k + 1], p2 = p[k + 2], p3 = p[k + 3];
        float q0 = q[k], q1 = q[k + 1], q2 = q[k + 2], q3 = q[k + 3];
        float r0 = r[k], r1 = r[k + 1], r2 = r[k + 2], r3 = r[k + 3];
        float s0 = s[k], s1 = s[k + 1], s2 = s[k + 2], s3 = s[k + 3];
        for (int j = 0; j < n; j++) {
            float x0 = b0[j], x1 = b1[j], x2 = b2[j], x3 = b3[j];
            c0[j] = Math.fma(p3, x3, Math.fma(p2, x2, Math.fma(p1, x1, Math.fma(p0, x0, c0[j]))));
            c1[j] = Math.fma(q3, x3, Math.fma(q2, x2, Math.fma(q1, x1, Math.fma(q0, x0, c1[j]))));
            c2[j] = Math.fma(r3, x3, Math.fma(r2, x2, Math.fma(r1, x1, Math.fma(r0, x0, c2[j]))));
            c3[j] = Math.fma(s3, x3, Math.fma(s2, x2, Math.fma(s1, x1, Math.fma(s0, x0, c3[j]))));
        }
    }

    /** Zeroes row {@code i}'s tail so that a depth that is no multiple of four needs no loop of its own. */
    static void padRow(float[] row, int depth) {
        Arrays.fill(row, depth, padded(depth), 0f);
    }
}
