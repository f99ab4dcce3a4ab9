package dev.gyre.nn.cpu;

import dev.gyre.core.Scratch;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The micro-kernel on the Vector API: two vectors wide, with twelve rows of C in 24 of 32 registers while k runs; each
 * step loads two vectors of B and broadcasts twelve elements of A. Processors with vectors of 256 bits are assumed to
 * have 16 registers: six rows there. Where fewer rows of a panel are needed, six or two are computed. It gives the same
 * bits as {@link ScalarKernel}: the chain of multiply-adds is the same.
 *
 * <p>The accumulators are separate variables, because an array of vectors would live in memory. Nor may a method grow:
 * beyond some thousands of nodes HotSpot stops inlining, and every vector becomes an object. Needs the module
 * jdk.incubator.vector.
 */
final class VectorKernel extends PackedMicroKernel {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();
    private static final int NR = 2 * LANES;
    private static final int MR = LANES == 8 ? 6 : 12;

    /** Whether this processor has vectors of at least four floats. */
    static boolean isWorthwhile() {
        return LANES >= 4;
    }

    VectorKernel() {
        super(MR, NR);
    }

    @Override
    void copyRow(float[] from, int at, float[] to, int begin) {
        FloatVector.fromArray(SPECIES, from, at).intoArray(to, begin);
        FloatVector.fromArray(SPECIES, from, at + LANES).intoArray(to, begin + LANES);
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
        for (int i = 0; i < rows; i += MR) {
            int here = Math.min(MR, rows - i), place = (row + i) * NR;
            multiplyPanel(add, a, at + i * depth, b[firstB], depth, c[firstC], place, here, scratch);
        }
    }

    private static void multiplyPanel(
            boolean add, float[] a, int at, float[] b, int depth, float[] c, int place, int rows, Scratch scratch) {
        float[] sums = add ? scratch.floats(ScratchSlots.PRODUCT, MR * NR) : c;
        int begin = add ? 0 : place;
        if (rows <= 2) product2(a, at, b, depth, sums, begin);
        else if (rows <= 6) product6(a, at, b, depth, sums, begin);
        else product12(a, at, b, depth, sums, begin);
        if (add) add(sums, rows * NR, c, place);
    }

    private static void add(float[] sums, int n, float[] c, int at) {
        for (int j = 0; j < n; j += LANES)
            FloatVector.fromArray(SPECIES, c, at + j)
                    .add(FloatVector.fromArray(SPECIES, sums, j))
                    .intoArray(c, at + j);
    }

    @Override
    public void scale(float[][] c, int first, int rows, int width, float[] factors, int at) {
        scale(c[first], 0, rows, factors, at);
        scale(c[first], LANES, rows, factors, at + LANES);
    }

    private static void scale(float[] c, int begin, int rows, float[] factors, int at) {
        FloatVector factor = FloatVector.fromArray(SPECIES, factors, at);
        for (int i = begin; i < rows * NR; i += NR)
            FloatVector.fromArray(SPECIES, c, i).mul(factor).intoArray(c, i);
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
        for (int half = 0; half < NR; half += LANES) {
            max(scores[first], half, rows, largest, correction, at + half);
            correct(correction, total, at + half);
            exp(scores[first], half, rows, largest, total, at + half);
        }
    }

    /** Updates the running maximum; {@code correction} gets the old one's difference from it. */
    private static void max(float[] scores, int begin, int rows, float[] largest, float[] correction, int at) {
        FloatVector old = FloatVector.fromArray(SPECIES, largest, at), maximum = old;
        for (int i = begin; i < rows * NR; i += NR) {
            FloatVector score = FloatVector.fromArray(SPECIES, scores, i);
            maximum = maximum.blend(score, score.compare(VectorOperators.GT, maximum));
        }
        maximum.intoArray(largest, at);
        old.sub(maximum).intoArray(correction, at);
    }

    private static void correct(float[] correction, float[] total, int at) {
        FloatVector factor = exp(FloatVector.fromArray(SPECIES, correction, at));
        factor.intoArray(correction, at);
        FloatVector.fromArray(SPECIES, total, at).mul(factor).intoArray(total, at);
    }

    private static void exp(float[] scores, int begin, int rows, float[] largest, float[] total, int at) {
        FloatVector maximum = FloatVector.fromArray(SPECIES, largest, at),
                sum = FloatVector.fromArray(SPECIES, total, at);
        for (int i = begin; i < rows * NR; i += NR) {
            FloatVector e = exp(FloatVector.fromArray(SPECIES, scores, i).sub(maximum));
            e.intoArray(scores, i);
            sum = sum.add(e);
        }
        sum.intoArray(total, at);
    }

    /** {@link Exp#inPlace}'s formula, lane by lane. */
    static FloatVector exp(FloatVector x) {
        FloatVector minimum = FloatVector.broadcast(SPECIES, Exp.MIN),
                maximum = FloatVector.broadcast(SPECIES, Exp.MAX);
        FloatVector v = x.blend(minimum, x.compare(VectorOperators.LT, minimum));
        v = v.blend(maximum, v.compare(VectorOperators.GT, maximum));
        FloatVector n = v.mul(Exp.LOG2_E).add(Exp.ROUND).sub(Exp.ROUND);
        FloatVector r = n.fma(FloatVector.broadcast(SPECIES, -Exp.LN2_HIGH), v);
        r = n.fma(FloatVector.broadcast(SPECIES, -Exp.LN2_LOW), r);
        FloatVector p = FloatVector.broadcast(SPECIES, Exp.C7).fma(r, FloatVector.broadcast(SPECIES, Exp.C6));
        p = p.fma(r, FloatVector.broadcast(SPECIES, Exp.C5));
        p = p.fma(r, FloatVector.broadcast(SPECIES, Exp.C4));
        p = p.fma(r, FloatVector.broadcast(SPECIES, Exp.C3));
        p = p.fma(r, FloatVector.broadcast(SPECIES, Exp.C2));
        p = p.fma(r.mul(r), r).add(1f);
        IntVector bits = (IntVector) n.convert(VectorOperators.F2I, 0);
        return p.mul(bits.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats());
    }

    private static void product12(float[] a, int at, float[] b, int depth, float[] sums, int begin) {
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
            int p = at + k * MR, q = k * NR;
            FloatVector left = FloatVector.fromArray(SPECIES, b, q);
            FloatVector right = FloatVector.fromArray(SPECIES, b, q + LANES);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            l0 = a0.fma(left, l0);
            r0 = a0.fma(right, r0);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + 1]);
            l1 = a1.fma(left, l1);
            r1 = a1.fma(right, r1);
            FloatVector a2 = FloatVector.broadcast(SPECIES, a[p + 2]);
            l2 = a2.fma(left, l2);
            r2 = a2.fma(right, r2);
            FloatVector a3 = FloatVector.broadcast(SPECIES, a[p + 3]);
            l3 = a3.fma(left, l3);
            r3 = a3.fma(right, r3);
            FloatVector a4 = FloatVector.broadcast(SPECIES, a[p + 4]);
            l4 = a4.fma(left, l4);
            r4 = a4.fma(right, r4);
            FloatVector a5 = FloatVector.broadcast(SPECIES, a[p + 5]);
            l5 = a5.fma(left, l5);
            r5 = a5.fma(right, r5);
            FloatVector a6 = FloatVector.broadcast(SPECIES, a[p + 6]);
            l6 = a6.fma(left, l6);
            r6 = a6.fma(right, r6);
            FloatVector a7 = FloatVector.broadcast(SPECIES, a[p + 7]);
            l7 = a7.fma(left, l7);
            r7 = a7.fma(right, r7);
            FloatVector a8 = FloatVector.broadcast(SPECIES, a[p + 8]);
            l8 = a8.fma(left, l8);
            r8 = a8.fma(right, r8);
            FloatVector a9 = FloatVector.broadcast(SPECIES, a[p + 9]);
            l9 = a9.fma(left, l9);
            r9 = a9.fma(right, r9);
            FloatVector a10 = FloatVector.broadcast(SPECIES, a[p + 10]);
            l10 = a10.fma(left, l10);
            r10 = a10.fma(right, r10);
            FloatVector a11 = FloatVector.broadcast(SPECIES, a[p + 11]);
            l11 = a11.fma(left, l11);
            r11 = a11.fma(right, r11);
        }
        l0.intoArray(sums, begin + 0 * LANES);
        r0.intoArray(sums, begin + 1 * LANES);
        l1.intoArray(sums, begin + 2 * LANES);
        r1.intoArray(sums, begin + 3 * LANES);
        l2.intoArray(sums, begin + 4 * LANES);
        r2.intoArray(sums, begin + 5 * LANES);
        l3.intoArray(sums, begin + 6 * LANES);
        r3.intoArray(sums, begin + 7 * LANES);
        l4.intoArray(sums, begin + 8 * LANES);
        r4.intoArray(sums, begin + 9 * LANES);
        l5.intoArray(sums, begin + 10 * LANES);
        r5.intoArray(sums, begin + 11 * LANES);
        l6.intoArray(sums, begin + 12 * LANES);
        r6.intoArray(sums, begin + 13 * LANES);
        l7.intoArray(sums, begin + 14 * LANES);
        r7.intoArray(sums, begin + 15 * LANES);
        l8.intoArray(sums, begin + 16 * LANES);
        r8.intoArray(sums, begin + 17 * LANES);
        l9.intoArray(sums, begin + 18 * LANES);
        r9.intoArray(sums, begin + 19 * LANES);
        l10.intoArray(sums, begin + 20 * LANES);
        r10.intoArray(sums, begin + 21 * LANES);
        l11.intoArray(sums, begin + 22 * LANES);
        r11.intoArray(sums, begin + 23 * LANES);
    }

    private static void product6(float[] a, int at, float[] b, int depth, float[] sums, int begin) {
        FloatVector zero = FloatVector.zero(SPECIES);
        FloatVector l0 = zero, r0 = zero;
        FloatVector l1 = zero, r1 = zero;
        FloatVector l2 = zero, r2 = zero;
        FloatVector l3 = zero, r3 = zero;
        FloatVector l4 = zero, r4 = zero;
        FloatVector l5 = zero, r5 = zero;
        for (int k = 0; k < depth; k++) {
            int p = at + k * MR, q = k * NR;
            FloatVector left = FloatVector.fromArray(SPECIES, b, q);
            FloatVector right = FloatVector.fromArray(SPECIES, b, q + LANES);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            l0 = a0.fma(left, l0);
            r0 = a0.fma(right, r0);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + 1]);
            l1 = a1.fma(left, l1);
            r1 = a1.fma(right, r1);
            FloatVector a2 = FloatVector.broadcast(SPECIES, a[p + 2]);
            l2 = a2.fma(left, l2);
            r2 = a2.fma(right, r2);
            FloatVector a3 = FloatVector.broadcast(SPECIES, a[p + 3]);
            l3 = a3.fma(left, l3);
            r3 = a3.fma(right, r3);
            FloatVector a4 = FloatVector.broadcast(SPECIES, a[p + 4]);
            l4 = a4.fma(left, l4);
            r4 = a4.fma(right, r4);
            FloatVector a5 = FloatVector.broadcast(SPECIES, a[p + 5]);
            l5 = a5.fma(left, l5);
            r5 = a5.fma(right, r5);
        }
        l0.intoArray(sums, begin + 0 * LANES);
        r0.intoArray(sums, begin + 1 * LANES);
        l1.intoArray(sums, begin + 2 * LANES);
        r1.intoArray(sums, begin + 3 * LANES);
        l2.intoArray(sums, begin + 4 * LANES);
        r2.intoArray(sums, begin + 5 * LANES);
        l3.intoArray(sums, begin + 6 * LANES);
        r3.intoArray(sums, begin + 7 * LANES);
        l4.intoArray(sums, begin + 8 * LANES);
        r4.intoArray(sums, begin + 9 * LANES);
        l5.intoArray(sums, begin + 10 * LANES);
        r5.intoArray(sums, begin + 11 * LANES);
    }

    private static void product2(float[] a, int at, float[] b, int depth, float[] sums, int begin) {
        FloatVector zero = FloatVector.zero(SPECIES);
        FloatVector l0 = zero, r0 = zero;
        FloatVector l1 = zero, r1 = zero;
        for (int k = 0; k < depth; k++) {
            int p = at + k * MR, q = k * NR;
            FloatVector left = FloatVector.fromArray(SPECIES, b, q);
            FloatVector right = FloatVector.fromArray(SPECIES, b, q + LANES);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            l0 = a0.fma(left, l0);
            r0 = a0.fma(right, r0);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + 1]);
            l1 = a1.fma(left, l1);
            r1 = a1.fma(right, r1);
        }
        l0.intoArray(sums, begin + 0 * LANES);
        r0.intoArray(sums, begin + 1 * LANES);
        l1.intoArray(sums, begin + 2 * LANES);
        r1.intoArray(sums, begin + 3 * LANES);
    }
}
