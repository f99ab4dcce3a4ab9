package dev.gyre.nn;

import dev.gyre.core.Scratch;
import java.util.Arrays;

/**
 * The innermost block as plain loops: four rows of C gain four rows of B, each times one number of A. B and C are separate arrays
 * read with one index, which HotSpot turns into vector instructions by itself; the sixteen numbers of A stay in registers.
 */
final class PlainTile implements Tile {
    private static final int SIDE = 4;

    @Override
    public int rows() {
        return SIDE;
    }

    /** Long rows: HotSpot's vector loops need a few hundred rounds to come to speed. */
    @Override
    public int columns() {
        return Gemm.WIDTH;
    }

    @Override
    public void multiply(
            float[] a,
            int at,
            float[][] b,
            int first,
            int depth,
            float[][] c,
            int row,
            int column,
            int width,
            Scratch scratch) {
        float[][] sums = scratch.rows(2, SIDE, Gemm.WIDTH);
        for (int i = 0; i < SIDE; i++) Arrays.fill(sums[i], 0, width, 0f);
        if (column != 0) throw new IllegalArgumentException("rows are taken whole, got column " + column);
        int whole = depth / SIDE * SIDE;
        for (int k = 0; k < whole; k += SIDE)
            step(
                    a,
                    at + k,
                    b[first + k],
                    b[first + k + 1],
                    b[first + k + 2],
                    b[first + k + 3],
                    sums[0],
                    sums[1],
                    sums[2],
                    sums[3],
                    width);
        for (int k = whole; k < depth; k++)
            for (int i = 0; i < SIDE; i++) one(a[at + i * Gemm.DEPTH + k], b[first + k], sums[i], width);
        for (int i = 0; i < SIDE; i++) add(c[row + i], sums[i], width);
    }

    private static void step(
            float[] a,
            int at,
            float[] b0,
            float[] b1,
            float[] b2,
            float[] b3,
            float[] c0,
            float[] c1,
            float[] c2,
            float[] c3,
            int n) {
        int q = at + Gemm.DEPTH, r = q + Gemm.DEPTH, s = r + Gemm.DEPTH;
        float p0 = a[at], p1 = a[at + 1], p2 = a[at + 2], p3 = a[at + 3];
        float q0 = a[q], q1 = a[q + 1], q2 = a[q + 2], q3 = a[q + 3];
        float r0 = a[r], r1 = a[r + 1], r2 = a[r + 2], r3 = a[r + 3];
        float s0 = a[s], s1 = a[s + 1], s2 = a[s + 2], s3 = a[s + 3];
        for (int j = 0; j < n; j++) {
            float x0 = b0[j], x1 = b1[j], x2 = b2[j], x3 = b3[j];
            c0[j] = Math.fma(p3, x3, Math.fma(p2, x2, Math.fma(p1, x1, Math.fma(p0, x0, c0[j]))));
            c1[j] = Math.fma(q3, x3, Math.fma(q2, x2, Math.fma(q1, x1, Math.fma(q0, x0, c1[j]))));
            c2[j] = Math.fma(r3, x3, Math.fma(r2, x2, Math.fma(r1, x1, Math.fma(r0, x0, c2[j]))));
            c3[j] = Math.fma(s3, x3, Math.fma(s2, x2, Math.fma(s1, x1, Math.fma(s0, x0, c3[j]))));
        }
    }

    private static void one(float a, float[] b, float[] c, int n) {
        for (int j = 0; j < n; j++) c[j] = Math.fma(a, b[j], c[j]);
    }

    private static void add(float[] a, float[] b, int n) {
        for (int j = 0; j < n; j++) a[j] += b[j];
    }
}
