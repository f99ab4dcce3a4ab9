package dev.gyre.nn.attention;

import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Value;
import dev.gyre.nn.device.WorkGroups;
import java.util.List;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Attention on GPUs. A work group takes 64 queries of a head through the keys, 64 at a time, with online softmax (Dao et
 * al. 2022): scores stay in registers, weights in local memory. It computes up to 80 columns of the output; wider heads
 * are divided among work groups, each of which computes the scores.
 */
final class AttentionGpu {
    /** Columns of the output of a work group, 5 of each thread. */
    private static final int COLUMNS = 80;

    private AttentionGpu() {}

    static List<KernelCall> calls(Attention op) {
        Value q = op.q();
        int queries = q.dim(1), heads = op.heads(), depth = q.dim(2) / heads;
        int chunks = (depth + COLUMNS - 1) / COLUMNS, blocks = (queries + WorkGroups.SIDE - 1) / WorkGroups.SIDE;
        return List.of(Kernel.workGroups(
                q.dim(0) * heads * blocks * chunks,
                WorkGroups.THREADS,
                AttentionGpu::attentionWorkGroups,
                queries,
                op.k().dim(1),
                heads,
                depth,
                chunks,
                op.causal() ? 1 : 0,
                (float) (1 / Math.sqrt(depth)),
                q,
                op.k(),
                op.v(),
                op.y()));
    }

    /**
     * A thread computes the scores of 4 queries with 4 keys, and 4 queries' outputs of every 16th column. Of the scores'
     * exponentials each thread keeps the sum of its own, which are added at the end.
     *
     * @param chunks parts that a head's columns are divided into
     * @param q [batch, queries, heads, depth]
     * @param k [batch, keys, heads, depth]
     * @param v [batch, keys, heads, depth]
     * @param y as q
     */
    public static void attentionWorkGroups(
            KernelContext context,
            int queries,
            int keys,
            int heads,
            int depth,
            int chunks,
            int causal,
            float scale,
            FloatArray q,
            FloatArray k,
            FloatArray v,
            FloatArray y) {
        int columns = (depth + chunks - 1) / chunks, width = heads * depth;
        int blocks = (queries + 63) / 64, chunk = context.groupIdx % chunks;
        int block = context.groupIdx / chunks, first = block % blocks * 64;
        int head = block / blocks % heads, batch = block / blocks / heads;
        int queryAt = batch * queries * width + head * depth, keyAt = batch * keys * width + head * depth;
        int column = chunk * columns, end = TornadoMath.min(column + columns, depth);
        int thread = context.localIdx, row = thread / 16 * 4, lane = thread % 16;
        int line = thread / 4, step = thread % 4 * 4;
        float[] left = context.allocateFloatLocalArray(1024);
        float[] right = context.allocateFloatLocalArray(1280);
        float[] weights = context.allocateFloatLocalArray(4096);
        float[] shared = context.allocateFloatLocalArray(1024);
        float m0 = -3e38f, m1 = -3e38f, m2 = -3e38f, m3 = -3e38f;
        float l0 = 0f, l1 = 0f, l2 = 0f, l3 = 0f;
        float y00 = 0f, y01 = 0f, y02 = 0f, y03 = 0f, y04 = 0f;
        float y10 = 0f, y11 = 0f, y12 = 0f, y13 = 0f, y14 = 0f;
        float y20 = 0f, y21 = 0f, y22 = 0f, y23 = 0f, y24 = 0f;
        float y30 = 0f, y31 = 0f, y32 = 0f, y33 = 0f, y34 = 0f;
        int seen = keys;
        if (causal == 1) seen = TornadoMath.min(first + 64, keys);
        for (int at = 0; at < seen; at += 64) {
            float s00 = 0f, s01 = 0f, s02 = 0f, s03 = 0f;
            float s10 = 0f, s11 = 0f, s12 = 0f, s13 = 0f;
            float s20 = 0f, s21 = 0f, s22 = 0f, s23 = 0f;
            float s30 = 0f, s31 = 0f, s32 = 0f, s33 = 0f;
            for (int d = 0; d < WorkGroups.tripCount(depth, thread); d += 16) {
                left[(step + 0) * 64 + line] = WorkGroups.element(
                        q,
                        queryAt + (first + line) * width + d + step + 0,
                        first + line < queries && d + step + 0 < depth);
                right[(step + 0) * 64 + line] = WorkGroups.element(
                        k, keyAt + (at + line) * width + d + step + 0, at + line < keys && d + step + 0 < depth);
                left[(step + 1) * 64 + line] = WorkGroups.element(
                        q,
                        queryAt + (first + line) * width + d + step + 1,
                        first + line < queries && d + step + 1 < depth);
                right[(step + 1) * 64 + line] = WorkGroups.element(
                        k, keyAt + (at + line) * width + d + step + 1, at + line < keys && d + step + 1 < depth);
                left[(step + 2) * 64 + line] = WorkGroups.element(
                        q,
                        queryAt + (first + line) * width + d + step + 2,
                        first + line < queries && d + step + 2 < depth);
                right[(step + 2) * 64 + line] = WorkGroups.element(
                        k, keyAt + (at + line) * width + d + step + 2, at + line < keys && d + step + 2 < depth);
                left[(step + 3) * 64 + line] = WorkGroups.element(
                        q,
                        queryAt + (first + line) * width + d + step + 3,
                        first + line < queries && d + step + 3 < depth);
                right[(step + 3) * 64 + line] = WorkGroups.element(
                        k, keyAt + (at + line) * width + d + step + 3, at + line < keys && d + step + 3 < depth);
                context.localBarrier();
                for (int i = 0; i < 16; i++) {
                    float a0 = left[i * 64 + row + 0],
                            a1 = left[i * 64 + row + 1],
                            a2 = left[i * 64 + row + 2],
                            a3 = left[i * 64 + row + 3];
                    float b0 = right[i * 64 + lane * 4 + 0],
                            b1 = right[i * 64 + lane * 4 + 1],
                            b2 = right[i * 64 + lane * 4 + 2],
                            b3 = right[i * 64 + lane * 4 + 3];
                    s00 += a0 * b0;
                    s01 += a0 * b1;
                    s02 += a0 * b2;
                    s03 += a0 * b3;
                    s10 += a1 * b0;
                    s11 += a1 * b1;
                    s12 += a1 * b2;
                    s13 += a1 * b3;
                    s20 += a2 * b0;
                    s21 += a2 * b1;
                    s22 += a2 * b2;
                    s23 += a2 * b3;
                    s30 += a3 * b0;
                    s31 += a3 * b1;
                    s32 += a3 * b2;
                    s33 += a3 * b3;
                }
                context.localBarrier();
            }
            s00 = score(s00 * scale, first + row + 0, at + lane * 4 + 0, keys, causal);
            s01 = score(s01 * scale, first + row + 0, at + lane * 4 + 1, keys, causal);
            s02 = score(s02 * scale, first + row + 0, at + lane * 4 + 2, keys, causal);
            s03 = score(s03 * scale, first + row + 0, at + lane * 4 + 3, keys, causal);
            s10 = score(s10 * scale, first + row + 1, at + lane * 4 + 0, keys, causal);
            s11 = score(s11 * scale, first + row + 1, at + lane * 4 + 1, keys, causal);
            s12 = score(s12 * scale, first + row + 1, at + lane * 4 + 2, keys, causal);
            s13 = score(s13 * scale, first + row + 1, at + lane * 4 + 3, keys, causal);
            s20 = score(s20 * scale, first + row + 2, at + lane * 4 + 0, keys, causal);
            s21 = score(s21 * scale, first + row + 2, at + lane * 4 + 1, keys, causal);
            s22 = score(s22 * scale, first + row + 2, at + lane * 4 + 2, keys, causal);
            s23 = score(s23 * scale, first + row + 2, at + lane * 4 + 3, keys, causal);
            s30 = score(s30 * scale, first + row + 3, at + lane * 4 + 0, keys, causal);
            s31 = score(s31 * scale, first + row + 3, at + lane * 4 + 1, keys, causal);
            s32 = score(s32 * scale, first + row + 3, at + lane * 4 + 2, keys, causal);
            s33 = score(s33 * scale, first + row + 3, at + lane * 4 + 3, keys, causal);
            shared[(row + 0) * 16 + lane] = TornadoMath.max(TornadoMath.max(s00, s01), TornadoMath.max(s02, s03));
            shared[(row + 1) * 16 + lane] = TornadoMath.max(TornadoMath.max(s10, s11), TornadoMath.max(s12, s13));
            shared[(row + 2) * 16 + lane] = TornadoMath.max(TornadoMath.max(s20, s21), TornadoMath.max(s22, s23));
            shared[(row + 3) * 16 + lane] = TornadoMath.max(TornadoMath.max(s30, s31), TornadoMath.max(s32, s33));
            context.localBarrier();
            float n0 = m0, n1 = m1, n2 = m2, n3 = m3;
            for (int i = 0; i < 16; i++) {
                n0 = TornadoMath.max(n0, shared[(row + 0) * 16 + i]);
                n1 = TornadoMath.max(n1, shared[(row + 1) * 16 + i]);
                n2 = TornadoMath.max(n2, shared[(row + 2) * 16 + i]);
                n3 = TornadoMath.max(n3, shared[(row + 3) * 16 + i]);
            }
            float f0 = TornadoMath.exp(m0 - n0),
                    f1 = TornadoMath.exp(m1 - n1),
                    f2 = TornadoMath.exp(m2 - n2),
                    f3 = TornadoMath.exp(m3 - n3);
            m0 = n0;
            m1 = n1;
            m2 = n2;
            m3 = n3;
            s00 = TornadoMath.exp(s00 - m0);
            s01 = TornadoMath.exp(s01 - m0);
            s02 = TornadoMath.exp(s02 - m0);
            s03 = TornadoMath.exp(s03 - m0);
            s10 = TornadoMath.exp(s10 - m1);
            s11 = TornadoMath.exp(s11 - m1);
            s12 = TornadoMath.exp(s12 - m1);
            s13 = TornadoMath.exp(s13 - m1);
            s20 = TornadoMath.exp(s20 - m2);
            s21 = TornadoMath.exp(s21 - m2);
            s22 = TornadoMath.exp(s22 - m2);
            s23 = TornadoMath.exp(s23 - m2);
            s30 = TornadoMath.exp(s30 - m3);
            s31 = TornadoMath.exp(s31 - m3);
            s32 = TornadoMath.exp(s32 - m3);
            s33 = TornadoMath.exp(s33 - m3);
            l0 = l0 * f0 + (s00 + s01) + (s02 + s03);
            l1 = l1 * f1 + (s10 + s11) + (s12 + s13);
            l2 = l2 * f2 + (s20 + s21) + (s22 + s23);
            l3 = l3 * f3 + (s30 + s31) + (s32 + s33);
            weights[(lane * 4 + 0) * 64 + row + 0] = s00;
            weights[(lane * 4 + 1) * 64 + row + 0] = s01;
            weights[(lane * 4 + 2) * 64 + row + 0] = s02;
            weights[(lane * 4 + 3) * 64 + row + 0] = s03;
            weights[(lane * 4 + 0) * 64 + row + 1] = s10;
            weights[(lane * 4 + 1) * 64 + row + 1] = s11;
            weights[(lane * 4 + 2) * 64 + row + 1] = s12;
            weights[(lane * 4 + 3) * 64 + row + 1] = s13;
            weights[(lane * 4 + 0) * 64 + row + 2] = s20;
            weights[(lane * 4 + 1) * 64 + row + 2] = s21;
            weights[(lane * 4 + 2) * 64 + row + 2] = s22;
            weights[(lane * 4 + 3) * 64 + row + 2] = s23;
            weights[(lane * 4 + 0) * 64 + row + 3] = s30;
            weights[(lane * 4 + 1) * 64 + row + 3] = s31;
            weights[(lane * 4 + 2) * 64 + row + 3] = s32;
            weights[(lane * 4 + 3) * 64 + row + 3] = s33;
            y00 *= f0;
            y01 *= f0;
            y02 *= f0;
            y03 *= f0;
            y04 *= f0;
            y10 *= f1;
            y11 *= f1;
            y12 *= f1;
            y13 *= f1;
            y14 *= f1;
            y20 *= f2;
            y21 *= f2;
            y22 *= f2;
            y23 *= f2;
            y24 *= f2;
            y30 *= f3;
            y31 *= f3;
            y32 *= f3;
            y33 *= f3;
            y34 *= f3;
            for (int from = 0; from < 64; from += 16) {
                for (int i = thread; i < 1280; i += 256) {
                    int key = at + from + i / 80, c = column + i % 80;
                    right[i] = WorkGroups.element(v, keyAt + key * width + c, key < keys && c < end);
                }
                context.localBarrier();
                for (int i = 0; i < 16; i++) {
                    float a0 = weights[(from + i) * 64 + row + 0],
                            a1 = weights[(from + i) * 64 + row + 1],
                            a2 = weights[(from + i) * 64 + row + 2],
                            a3 = weights[(from + i) * 64 + row + 3];
                    float b0 = right[i * 80 + lane + 0];
                    y00 += a0 * b0;
                    y10 += a1 * b0;
                    y20 += a2 * b0;
                    y30 += a3 * b0;
                    if (columns > 16) {
                        float b1 = right[i * 80 + lane + 16];
                        y01 += a0 * b1;
                        y11 += a1 * b1;
                        y21 += a2 * b1;
                        y31 += a3 * b1;
                    }
                    if (columns > 32) {
                        float b2 = right[i * 80 + lane + 32];
                        y02 += a0 * b2;
                        y12 += a1 * b2;
                        y22 += a2 * b2;
                        y32 += a3 * b2;
                    }
                    if (columns > 48) {
                        float b3 = right[i * 80 + lane + 48];
                        y03 += a0 * b3;
                        y13 += a1 * b3;
                        y23 += a2 * b3;
                        y33 += a3 * b3;
                    }
                    if (columns > 64) {
                        float b4 = right[i * 80 + lane + 64];
                        y04 += a0 * b4;
                        y14 += a1 * b4;
                        y24 += a2 * b4;
                        y34 += a3 * b4;
                    }
                }
                context.localBarrier();
            }
        }
        shared[(row + 0) * 16 + lane] = l0;
        shared[(row + 1) * 16 + lane] = l1;
        shared[(row + 2) * 16 + lane] = l2;
        shared[(row + 3) * 16 + lane] = l3;
        context.localBarrier();
        float t0 = 0f, t1 = 0f, t2 = 0f, t3 = 0f;
        for (int i = 0; i < 16; i++) {
            t0 += shared[(row + 0) * 16 + i];
            t1 += shared[(row + 1) * 16 + i];
            t2 += shared[(row + 2) * 16 + i];
            t3 += shared[(row + 3) * 16 + i];
        }
        store(
                y,
                queryAt + (first + row + 0) * width,
                column + lane + 0,
                y00 / t0,
                first + row + 0 < queries && column + lane + 0 < end);
        store(
                y,
                queryAt + (first + row + 0) * width,
                column + lane + 16,
                y01 / t0,
                first + row + 0 < queries && column + lane + 16 < end);
        store(
                y,
                queryAt + (first + row + 0) * width,
                column + lane + 32,
                y02 / t0,
                first + row + 0 < queries && column + lane + 32 < end);
        store(
                y,
                queryAt + (first + row + 0) * width,
                column + lane + 48,
                y03 / t0,
                first + row + 0 < queries && column + lane + 48 < end);
        store(
                y,
                queryAt + (first + row + 0) * width,
                column + lane + 64,
                y04 / t0,
                first + row + 0 < queries && column + lane + 64 < end);
        store(
                y,
                queryAt + (first + row + 1) * width,
                column + lane + 0,
                y10 / t1,
                first + row + 1 < queries && column + lane + 0 < end);
        store(
                y,
                queryAt + (first + row + 1) * width,
                column + lane + 16,
                y11 / t1,
                first + row + 1 < queries && column + lane + 16 < end);
        store(
                y,
                queryAt + (first + row + 1) * width,
                column + lane + 32,
                y12 / t1,
                first + row + 1 < queries && column + lane + 32 < end);
        store(
                y,
                queryAt + (first + row + 1) * width,
                column + lane + 48,
                y13 / t1,
                first + row + 1 < queries && column + lane + 48 < end);
        store(
                y,
                queryAt + (first + row + 1) * width,
                column + lane + 64,
                y14 / t1,
                first + row + 1 < queries && column + lane + 64 < end);
        store(
                y,
                queryAt + (first + row + 2) * width,
                column + lane + 0,
                y20 / t2,
                first + row + 2 < queries && column + lane + 0 < end);
        store(
                y,
                queryAt + (first + row + 2) * width,
                column + lane + 16,
                y21 / t2,
                first + row + 2 < queries && column + lane + 16 < end);
        store(
                y,
                queryAt + (first + row + 2) * width,
                column + lane + 32,
                y22 / t2,
                first + row + 2 < queries && column + lane + 32 < end);
        store(
                y,
                queryAt + (first + row + 2) * width,
                column + lane + 48,
                y23 / t2,
                first + row + 2 < queries && column + lane + 48 < end);
        store(
                y,
                queryAt + (first + row + 2) * width,
                column + lane + 64,
                y24 / t2,
                first + row + 2 < queries && column + lane + 64 < end);
        store(
                y,
                queryAt + (first + row + 3) * width,
                column + lane + 0,
                y30 / t3,
                first + row + 3 < queries && column + lane + 0 < end);
        store(
                y,
                queryAt + (first + row + 3) * width,
                column + lane + 16,
                y31 / t3,
                first + row + 3 < queries && column + lane + 16 < end);
        store(
                y,
                queryAt + (first + row + 3) * width,
                column + lane + 32,
                y32 / t3,
                first + row + 3 < queries && column + lane + 32 < end);
        store(
                y,
                queryAt + (first + row + 3) * width,
                column + lane + 48,
                y33 / t3,
                first + row + 3 < queries && column + lane + 48 < end);
        store(
                y,
                queryAt + (first + row + 3) * width,
                column + lane + 64,
                y34 / t3,
                first + row + 3 < queries && column + lane + 64 < end);
    }

    /** Keys that a query does not see have a score whose exponential is 0 beside that of any other. */
    static float score(float s, int query, int key, int keys, int causal) {
        float v = s;
        if (key >= keys || causal == 1 && key > query) v = -1e30f;
        return v;
    }

    private static void store(FloatArray y, int at, int column, float v, boolean valid) {
        if (valid) y.set(at + column, v);
    }
}
