package dev.gyre.nn.attention;

import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Value;
import dev.gyre.nn.device.Float16s;
import java.util.List;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.vectors.Float16;

/**
 * Attention on devices of few, strong cores. One thread takes 4 queries of one head through the keys, 16 at a time, and
 * rescales its running sums when a larger score appears (online softmax, as in FlashAttention, Dao et al. 2022): scores
 * stay in registers.
 */
final class AttentionSimd {
    private static final int QUERIES = 4;

    private AttentionSimd() {}

    static List<KernelCall> calls(Attention op) {
        Value q = op.q();
        int batch = q.dim(0), queries = q.dim(1), keys = op.k().dim(1), heads = op.heads(), depth = q.dim(2) / heads;
        // Causal attention has few queries, which gain nothing; the definition handles the mask.
        if (op.causal()) return op.loops();
        int paddedKeys = (keys + Float16s.COUNT - 1) / Float16s.COUNT * Float16s.COUNT;
        int paddedDepth = (depth + Float16s.COUNT - 1) / Float16s.COUNT * Float16s.COUNT;
        Value columns = Value.scratch(q.dtype(), batch * heads, paddedKeys / Float16s.COUNT, depth + 1, Float16s.COUNT);
        Value values =
                Value.scratch(q.dtype(), batch * heads, paddedKeys / Float16s.COUNT, paddedDepth, Float16s.COUNT);
        Value sums = Value.scratch(q.dtype(), batch * heads, (queries + QUERIES - 1) / QUERIES * QUERIES, paddedDepth);
        return List.of(
                Kernel.call(
                        batch * heads * (paddedKeys / Float16s.COUNT) * (depth + 1),
                        AttentionSimd::attentionKeys,
                        keys,
                        heads,
                        depth,
                        paddedKeys,
                        (float) (1 / Math.sqrt(depth)),
                        op.k(),
                        columns),
                Kernel.call(
                        batch * heads * paddedKeys,
                        AttentionSimd::attentionValues,
                        keys,
                        heads,
                        depth,
                        paddedKeys,
                        paddedDepth,
                        op.v(),
                        values),
                Kernel.call(
                        batch * heads * ((queries + QUERIES - 1) / QUERIES),
                        AttentionSimd::attentionSimd,
                        queries,
                        heads,
                        depth,
                        paddedKeys,
                        paddedDepth,
                        q,
                        columns,
                        values,
                        sums,
                        op.y()));
    }

    /**
     * Transposes the keys of each head, 16 by 16, divided by √depth. The row below holds what is added to the scores:
     * 0, or a large negative number for keys beyond the last.
     *
     * @param k [batch, keys, heads, depth]
     * @param y [batch, heads, paddedKeys / 16, depth + 1, 16]
     */
    public static void attentionKeys(
            int begin,
            int count,
            int keys,
            int heads,
            int depth,
            int paddedKeys,
            float scale,
            FloatArray k,
            FloatArray y) {
        for (@Parallel int n = 0; n < count; n++) {
            int i = begin + n, c = i % (depth + 1), first = i / (depth + 1) % (paddedKeys / 16) * 16;
            int batchHead = i / ((depth + 1) * (paddedKeys / 16)), head = batchHead % heads, batch = batchHead / heads;
            int from = (batch * keys * heads + head) * depth + c;
            for (int j = 0; j < 16; j++) {
                float v = 0f;
                if (c == depth && first + j >= keys) v = -1e30f;
                if (c < depth && first + j < keys) v = k.get(from + (first + j) * heads * depth) * scale;
                y.set(i * 16 + j, v);
            }
        }
    }

    /**
     * Packs the values of each head as blocks of 16 keys by 16 columns, padded with zeros.
     *
     * @param v [batch, keys, heads, depth]
     * @param y [batch, heads, paddedKeys / 16, paddedDepth / 16, 16, 16]
     */
    public static void attentionValues(
            int begin,
            int count,
            int keys,
            int heads,
            int depth,
            int paddedKeys,
            int paddedDepth,
            FloatArray v,
            FloatArray y) {
        for (@Parallel int n = 0; n < count; n++) {
            int i = begin + n, j = i % paddedKeys, head = i / paddedKeys % heads, batch = i / (paddedKeys * heads);
            int from = ((batch * keys + j) * heads + head) * depth;
            for (int c = 0; c < paddedDepth; c++) {
                float value = 0f;
                if (j < keys && c < depth) value = v.get(from + c);
                y.set((i / 16 * (paddedDepth / 16) + c / 16) * 256 + i % 16 * 16 + c % 16, value);
            }
        }
    }

    /**
     * 4 queries of one head.
     *
     * @param q [batch, queries, heads, depth]
     * @param k [batch, heads, paddedKeys / 16, depth + 1, 16]
     * @param v [batch, heads, paddedKeys / 16, paddedDepth / 16, 16, 16]
     * @param sums [batch, heads, queries, paddedDepth], scratch
     * @param y as q
     */
    public static void attentionSimd(
            int begin,
            int count,
            int queries,
            int heads,
            int depth,
            int paddedKeys,
            int paddedDepth,
            FloatArray q,
            FloatArray k,
            FloatArray v,
            FloatArray sums,
            FloatArray y) {
        for (@Parallel int n = 0; n < count; n++) {
            int i = begin + n, blocks = (queries + 3) / 4, batchHead = i / blocks, query = i % blocks * 4;
            int head = batchHead % heads, batch = batchHead / heads, width = heads * depth, last = queries - 1;
            int q0 = (batch * queries + query) * width + head * depth;
            int q1 = (batch * queries + TornadoMath.min(query + 1, last)) * width + head * depth;
            int q2 = (batch * queries + TornadoMath.min(query + 2, last)) * width + head * depth;
            int q3 = (batch * queries + TornadoMath.min(query + 3, last)) * width + head * depth;
            int key = batchHead * (depth + 1) * paddedKeys,
                    from = batchHead * paddedKeys * paddedDepth,
                    at = i * 4 * paddedDepth;
            for (int c = 0; c < 4 * paddedDepth; c++) sums.set(at + c, 0f);
            float m0 = -1e30f, m1 = -1e30f, m2 = -1e30f, m3 = -1e30f, l0 = 0f, l1 = 0f, l2 = 0f, l3 = 0f;
            float[] p = new float[64];
            for (int j = 0; j < Float16s.tripCount(paddedKeys, n); j += 16) {
                Float16 s0 = Float16s.load(k, key + depth * 16);
                Float16 s1 = s0, s2 = s0, s3 = s0;
                for (int c = 0; c < Float16s.tripCount(depth, n); c++) {
                    Float16 column = Float16s.load(k, key);
                    s0 = Float16s.multiplyAdd(s0, column, q.get(q0 + c));
                    s1 = Float16s.multiplyAdd(s1, column, q.get(q1 + c));
                    s2 = Float16s.multiplyAdd(s2, column, q.get(q2 + c));
                    s3 = Float16s.multiplyAdd(s3, column, q.get(q3 + c));
                    key += 16;
                }
                key += 16;
                float n0 = TornadoMath.max(m0, Float16s.max(s0)), n1 = TornadoMath.max(m1, Float16s.max(s1));
                float n2 = TornadoMath.max(m2, Float16s.max(s2)), n3 = TornadoMath.max(m3, Float16s.max(s3));
                float f0 = TornadoMath.exp(m0 - n0), f1 = TornadoMath.exp(m1 - n1);
                float f2 = TornadoMath.exp(m2 - n2), f3 = TornadoMath.exp(m3 - n3);
                m0 = n0;
                m1 = n1;
                m2 = n2;
                m3 = n3;
                l0 = l0 * f0 + exponentials(s0, n0, p, 0);
                l1 = l1 * f1 + exponentials(s1, n1, p, 16);
                l2 = l2 * f2 + exponentials(s2, n2, p, 32);
                l3 = l3 * f3 + exponentials(s3, n3, p, 48);
                for (int c = 0; c < Float16s.tripCount(paddedDepth, n); c += 16) {
                    Float16 y0 = Float16.mult(Float16s.load(sums, at + c), f0);
                    Float16 y1 = Float16.mult(Float16s.load(sums, at + paddedDepth + c), f1);
                    Float16 y2 = Float16.mult(Float16s.load(sums, at + 2 * paddedDepth + c), f2);
                    Float16 y3 = Float16.mult(Float16s.load(sums, at + 3 * paddedDepth + c), f3);
                    for (int r = 0; r < Float16s.tripCount(16, n); r++) {
                        Float16 value = Float16s.load(v, from);
                        y0 = Float16s.multiplyAdd(y0, value, p[r]);
                        y1 = Float16s.multiplyAdd(y1, value, p[16 + r]);
                        y2 = Float16s.multiplyAdd(y2, value, p[32 + r]);
                        y3 = Float16s.multiplyAdd(y3, value, p[48 + r]);
                        from += 16;
                    }
                    Float16s.store(sums, at + c, y0);
                    Float16s.store(sums, at + paddedDepth + c, y1);
                    Float16s.store(sums, at + 2 * paddedDepth + c, y2);
                    Float16s.store(sums, at + 3 * paddedDepth + c, y3);
                }
            }
            for (int c = 0; c < depth; c++) {
                y.set(q0 + c, sums.get(at + c) / l0);
                if (query + 1 < queries) y.set(q1 + c, sums.get(at + paddedDepth + c) / l1);
                if (query + 2 < queries) y.set(q2 + c, sums.get(at + 2 * paddedDepth + c) / l2);
                if (query + 3 < queries) y.set(q3 + c, sums.get(at + 3 * paddedDepth + c) / l3);
            }
        }
    }

    /**
     * Writes exp(s − largest) to p from {@code at} on; returns the sum. GPUs have an exp instruction that is as fast.
     */
    private static float exponentials(Float16 s, float largest, float[] p, int at) {
        p[at] = s.getS0() - largest;
        p[at + 1] = s.getS1() - largest;
        p[at + 2] = s.getS2() - largest;
        p[at + 3] = s.getS3() - largest;
        p[at + 4] = s.getS4() - largest;
        p[at + 5] = s.getS5() - largest;
        p[at + 6] = s.getS6() - largest;
        p[at + 7] = s.getS7() - largest;
        p[at + 8] = s.getS8() - largest;
        p[at + 9] = s.getS9() - largest;
        p[at + 10] = s.getS10() - largest;
        p[at + 11] = s.getS11() - largest;
        p[at + 12] = s.getS12() - largest;
        p[at + 13] = s.getS13() - largest;
        p[at + 14] = s.getS14() - largest;
        p[at + 15] = s.getS15() - largest;
        for (int r = 0; r < 16; r++) {
            p[at + r] = Float16s.exp(p[at + r]);
        }
        float sum = 0f;
        for (int r = 0; r < 16; r++) sum += p[at + r];
        return sum;
    }
}
