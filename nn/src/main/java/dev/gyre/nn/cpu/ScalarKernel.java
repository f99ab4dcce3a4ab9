package dev.gyre.nn.cpu;

import dev.gyre.core.Scratch;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * The micro-kernel as plain loops: four rows of C accumulate four rows of B, each multiplied with one element of A. B
 * and C are separate arrays read with one index, which HotSpot vectorizes; the sixteen elements of A stay in registers.
 */
final class ScalarKernel implements MicroKernel {
    private static final int MR = 4;

    /** Long rows: HotSpot's vector loops need a few hundred iterations to reach full speed. */
    private static final int NR = 512;

    @Override
    public int mr() {
        return MR;
    }

    @Override
    public int nr() {
        return NR;
    }

    /** One array for each row. */
    @Override
    public int arrays(int rows) {
        return rows;
    }

    @Override
    public int arrayLength(int rows) {
        return NR;
    }

    @Override
    public void packRow(float[] from, int at, int width, float[][] to, int first, int arrays, int row, int column) {
        for (int done = 0; done < width; ) {
            int here = (column + done) % NR, n = Math.min(width - done, NR - here);
            System.arraycopy(from, at + done, to[first + (column + done) / NR * arrays + row], here, n);
            done += n;
        }
    }

    @Override
    public void unpackRow(float[][] from, int first, int arrays, int row, int column, float[] to, int at, int width) {
        for (int done = 0; done < width; ) {
            int here = (column + done) % NR, n = Math.min(width - done, NR - here);
            System.arraycopy(from[first + (column + done) / NR * arrays + row], here, to, at + done, n);
            done += n;
        }
    }

    @Override
    public void storeTransposed(
            float[][] from, int first, int rows, int count, MemorySegment to, long at, long stride) {
        for (int column = 0; column < count; column++)
            for (int i = 0; i < rows; i++)
                to.setAtIndex(ValueLayout.JAVA_FLOAT, at + column * stride + i, from[first + i][column]);
    }

    @Override
    public void packPanel(PackedRows from, int column, int k, int depth, float[][] to, int first, Scratch scratch) {
        int step = 32;
        float[] block = scratch.floats(ScratchSlots.A_PANEL, step * NR);
        for (int i = 0; i < depth; i += step) {
            int n = Math.min(step, depth - i);
            from.pack(column, k + i, n, block, 0, scratch);
            for (int j = 0; j < n; j++) System.arraycopy(block, j * NR, to[first + i + j], 0, NR);
        }
    }

    @Override
    public void multiply(
            boolean add,
            float[] a,
            int at,
            float[][] b,
            int firstB,
            int depth,
            float[][] c,
            int firstC,
            int row,
            int rows,
            int width,
            Scratch scratch) {
        for (int i = 0; i < rows; i += MR)
            multiplyPanel(add, a, at + i * depth, b, firstB, depth, c, firstC, row + i, width, scratch);
    }

    private static void multiplyPanel(
            boolean add,
            float[] a,
            int at,
            float[][] b,
            int firstB,
            int depth,
            float[][] c,
            int firstC,
            int row,
            int width,
            Scratch scratch) {
        float[][] sums = scratch.rows(ScratchSlots.SUMS, MR, NR);
        for (int i = 0; i < MR; i++) Arrays.fill(sums[i], 0, width, 0f);
        int unrolled = depth / MR * MR;
        for (int k = 0; k < unrolled; k += MR)
            step(
                    a,
                    at + k * MR,
                    b[firstB + k],
                    b[firstB + k + 1],
                    b[firstB + k + 2],
                    b[firstB + k + 3],
                    sums[0],
                    sums[1],
                    sums[2],
                    sums[3],
                    width);
        for (int k = unrolled; k < depth; k++)
            for (int i = 0; i < MR; i++) multiplyOne(a[at + k * MR + i], b[firstB + k], sums[i], width);
        for (int i = 0; i < MR; i++)
            if (add) add(c[firstC + row + i], sums[i], width);
            else System.arraycopy(sums[i], 0, c[firstC + row + i], 0, width);
    }

    @Override
    public void scale(float[][] c, int first, int rows, int width, float[] factors, int at) {
        for (int i = 0; i < rows; i++) scale(c[first + i], factors, at, width);
    }

    @Override
    public void softmax(
            float[][] scores,
            int first,
            int rows,
            int width,
            float[] largest,
            float[] total,
            float[] correction,
            int at,
            Scratch scratch) {
        float[] maximum = scratch.floats(ScratchSlots.MAX, NR), sum = scratch.floats(ScratchSlots.TOTAL, NR);
        float[] rescale = scratch.floats(ScratchSlots.RESCALE, NR);
        int[] bits = scratch.ints(NR);
        System.arraycopy(largest, at, maximum, 0, width);
        System.arraycopy(largest, at, rescale, 0, width);
        System.arraycopy(total, at, sum, 0, width);
        for (int j = 0; j < rows; j++) max(maximum, scores[first + j], width);
        subtract(rescale, maximum, width);
        Exp.inPlace(rescale, width, bits);
        multiply(sum, rescale, width);
        for (int j = 0; j < rows; j++) {
            subtract(scores[first + j], maximum, width);
            Exp.inPlace(scores[first + j], width, bits);
            add(sum, scores[first + j], width);
        }
        System.arraycopy(maximum, 0, largest, at, width);
        System.arraycopy(rescale, 0, correction, at, width);
        System.arraycopy(sum, 0, total, at, width);
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
        float p0 = a[at], q0 = a[at + 1], r0 = a[at + 2], s0 = a[at + 3];
        float p1 = a[at + 4], q1 = a[at + 5], r1 = a[at + 6], s1 = a[at + 7];
        float p2 = a[at + 8], q2 = a[at + 9], r2 = a[at + 10], s2 = a[at + 11];
        float p3 = a[at + 12], q3 = a[at + 13], r3 = a[at + 14], s3 = a[at + 15];
        for (int j = 0; j < n; j++) {
            float x0 = b0[j], x1 = b1[j], x2 = b2[j], x3 = b3[j];
            c0[j] = Math.fma(p3, x3, Math.fma(p2, x2, Math.fma(p1, x1, Math.fma(p0, x0, c0[j]))));
            c1[j] = Math.fma(q3, x3, Math.fma(q2, x2, Math.fma(q1, x1, Math.fma(q0, x0, c1[j]))));
            c2[j] = Math.fma(r3, x3, Math.fma(r2, x2, Math.fma(r1, x1, Math.fma(r0, x0, c2[j]))));
            c3[j] = Math.fma(s3, x3, Math.fma(s2, x2, Math.fma(s1, x1, Math.fma(s0, x0, c3[j]))));
        }
    }

    private static void multiplyOne(float a, float[] b, float[] c, int n) {
        for (int j = 0; j < n; j++) c[j] = Math.fma(a, b[j], c[j]);
    }

    private static void add(float[] a, float[] b, int n) {
        for (int j = 0; j < n; j++) a[j] += b[j];
    }

    private static void multiply(float[] a, float[] b, int n) {
        for (int j = 0; j < n; j++) a[j] *= b[j];
    }

    private static void scale(float[] a, float[] b, int at, int n) {
        for (int j = 0; j < n; j++) a[j] *= b[at + j];
    }

    private static void max(float[] a, float[] b, int n) {
        for (int j = 0; j < n; j++) a[j] = Math.max(a[j], b[j]);
    }

    private static void subtract(float[] a, float[] b, int n) {
        for (int j = 0; j < n; j++) a[j] -= b[j];
    }
}
