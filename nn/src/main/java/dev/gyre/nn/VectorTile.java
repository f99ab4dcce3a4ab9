package dev.gyre.nn;

import dev.gyre.core.Scratch;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The innermost block on 512-bit vectors: twelve rows of C, two vectors wide, stay in 24 registers while k runs; each step loads two
 * vectors of B and broadcasts twelve numbers of A. Gives the same bits as {@link PlainTile}: the chain of multiply-adds is the same.
 *
 * <p>The accumulators are named one by one: an array of vectors would live in memory. Nor may the method grow: beyond some thousands
 * of nodes HotSpot stops inlining, and every vector becomes an object. Needs the module jdk.incubator.vector.
 */
final class VectorTile implements Tile {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_512;
    private static final int LANES = 16;
    private static final int ROWS = 12;
    private static final int COLUMNS = 2 * LANES;
    private static final int D = Gemm.DEPTH;

    /** Whether this processor has vectors of 512 bits. */
    static boolean isFast() {
        return FloatVector.SPECIES_PREFERRED.length() == LANES;
    }

    @Override
    public int rows() {
        return ROWS;
    }

    @Override
    public int columns() {
        return COLUMNS;
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
        float[] sums = scratch.floats(6, ROWS * COLUMNS);
        product(a, at, b, first, depth, column, sums);
        for (int i = 0; i < ROWS; i++) add(sums, i * COLUMNS, c[row + i], column);
    }

    private static void add(float[] sums, int at, float[] c, int column) {
        for (int j = 0; j < COLUMNS; j += LANES)
            FloatVector.fromArray(SPECIES, c, column + j)
                    .add(FloatVector.fromArray(SPECIES, sums, at + j))
                    .intoArray(c, column + j);
    }

    private static void product(float[] a, int at, float[][] b, int first, int depth, int column, float[] sums) {
        FloatVector zero = FloatVector.zero(SPECIES);
        FloatVector l0 = zero, r0 = zero;
        FloatVector l1 = zero, r1 = zero;
        FloatVector l2 = zero, r2 = zero;
        FloatVector l3 = zero, r3 = zero;
        FloatVector l4 = zero, r4 = zero;
        FloatVector l5 = zero, r5 = zero;
        FloatVector l6 = zero, r6 = zero;
        FloatVector l7 = zero, r7 = zero;
        FloatVector l8 = zero, r8 = zero;
        FloatVector l9 = zero, r9 = zero;
        FloatVector l10 = zero, r10 = zero;
        FloatVector l11 = zero, r11 = zero;
        for (int k = 0; k < depth; k++) {
            float[] line = b[first + k];
            FloatVector left = FloatVector.fromArray(SPECIES, line, column);
            FloatVector right = FloatVector.fromArray(SPECIES, line, column + LANES);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[at + k]);
            l0 = a0.fma(left, l0);
            r0 = a0.fma(right, r0);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[at + k + D]);
            l1 = a1.fma(left, l1);
            r1 = a1.fma(right, r1);
            FloatVector a2 = FloatVector.broadcast(SPECIES, a[at + k + 2 * D]);
            l2 = a2.fma(left, l2);
            r2 = a2.fma(right, r2);
            FloatVector a3 = FloatVector.broadcast(SPECIES, a[at + k + 3 * D]);
            l3 = a3.fma(left, l3);
            r3 = a3.fma(right, r3);
            FloatVector a4 = FloatVector.broadcast(SPECIES, a[at + k + 4 * D]);
            l4 = a4.fma(left, l4);
            r4 = a4.fma(right, r4);
            FloatVector a5 = FloatVector.broadcast(SPECIES, a[at + k + 5 * D]);
            l5 = a5.fma(left, l5);
            r5 = a5.fma(right, r5);
            FloatVector a6 = FloatVector.broadcast(SPECIES, a[at + k + 6 * D]);
            l6 = a6.fma(left, l6);
            r6 = a6.fma(right, r6);
            FloatVector a7 = FloatVector.broadcast(SPECIES, a[at + k + 7 * D]);
            l7 = a7.fma(left, l7);
            r7 = a7.fma(right, r7);
            FloatVector a8 = FloatVector.broadcast(SPECIES, a[at + k + 8 * D]);
            l8 = a8.fma(left, l8);
            r8 = a8.fma(right, r8);
            FloatVector a9 = FloatVector.broadcast(SPECIES, a[at + k + 9 * D]);
            l9 = a9.fma(left, l9);
            r9 = a9.fma(right, r9);
            FloatVector a10 = FloatVector.broadcast(SPECIES, a[at + k + 10 * D]);
            l10 = a10.fma(left, l10);
            r10 = a10.fma(right, r10);
            FloatVector a11 = FloatVector.broadcast(SPECIES, a[at + k + 11 * D]);
            l11 = a11.fma(left, l11);
            r11 = a11.fma(right, r11);
        }
        l0.intoArray(sums, 0);
        r0.intoArray(sums, 16);
        l1.intoArray(sums, 32);
        r1.intoArray(sums, 48);
        l2.intoArray(sums, 64);
        r2.intoArray(sums, 80);
        l3.intoArray(sums, 96);
        r3.intoArray(sums, 112);
        l4.intoArray(sums, 128);
        r4.intoArray(sums, 144);
        l5.intoArray(sums, 160);
        r5.intoArray(sums, 176);
        l6.intoArray(sums, 192);
        r6.intoArray(sums, 208);
        l7.intoArray(sums, 224);
        r7.intoArray(sums, 240);
        l8.intoArray(sums, 256);
        r8.intoArray(sums, 272);
        l9.intoArray(sums, 288);
        r9.intoArray(sums, 304);
        l10.intoArray(sums, 320);
        r10.intoArray(sums, 336);
        l11.intoArray(sums, 352);
        r11.intoArray(sums, 368);
    }
}
