package dev.gyre.nn.attention;

import dev.gyre.core.DType;
import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Value;
import dev.gyre.nn.device.TensorCores;
import dev.gyre.nn.device.WorkGroups;
import java.util.List;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.enums.MMAShape;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Attention on {@link TensorCores}, with online softmax (Dao et al. 2022). A work group takes 64 queries of a head, 16 a
 * warp, through the keys, 128 at a time. It computes up to 80 columns of the output; wider heads are divided among work
 * groups, each of which computes the scores.
 *
 * <p>A kernel cannot read a fragment's elements in TornadoVM 5.2, only store it to an array. So scores and products with
 * the values pass through scratch memory, 32 KiB a work group, which a GPU's cache holds; sums stay in local memory.
 * Operands, softmax's weights among them, are rounded to F16, sums are F32.
 */
final class AttentionTensorCore {
    /** Columns of the output of a work group: 10 fragments. */
    private static final int COLUMNS = 80;

    /** Keys between two rescalings of the sums. */
    private static final int KEYS = 128;

    private AttentionTensorCore() {}

    static List<KernelCall> calls(Attention op) {
        Value q = op.q();
        int queries = q.dim(1), heads = op.heads(), depth = q.dim(2) / heads;
        int chunks = (depth + COLUMNS - 1) / COLUMNS, blocks = (queries + TensorCores.SIDE - 1) / TensorCores.SIDE;
        int groups = q.dim(0) * heads * blocks * chunks;
        return List.of(Kernel.workGroups(
                groups,
                TensorCores.THREADS,
                AttentionTensorCore::attentionTensorCore,
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
                Value.scratch(DType.F32, groups, TensorCores.SIDE, KEYS),
                op.y()));
    }

    /**
     * The rows of a tile of A are queries; the columns of a tile of B are keys, then columns of the values. Elements
     * beyond the last are zeros.
     *
     * @param chunks parts that a head's columns are divided into
     * @param q [batch, queries, heads, depth]
     * @param k [batch, keys, heads, depth]
     * @param v [batch, keys, heads, depth]
     * @param scratch [work groups, 64, 128]: scores, then weights, then their products with the values
     * @param y as q
     */
    public static void attentionTensorCore(
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
            FloatArray scratch,
            FloatArray y) {
        int columns = (depth + chunks * 8 - 1) / (chunks * 8) * 8, width = heads * depth;
        int blocks = (queries + 63) / 64, chunk = context.groupIdx % chunks;
        int block = context.groupIdx / chunks, first = block % blocks * 64;
        int head = block / blocks % heads, batch = block / blocks / heads;
        int queryAt = batch * queries * width + head * depth, keyAt = batch * keys * width + head * depth;
        int column = chunk * columns, end = TornadoMath.min(column + columns, depth);
        int thread = context.localIdx, warp = thread / 32, lane = thread % 32, rows = context.groupIdx * 64;
        int[] left = context.allocateIntLocalArray(512);
        int[] right = context.allocateIntLocalArray(640);
        int[] weights = context.allocateIntLocalArray(4096);
        float[] sums = context.allocateFloatLocalArray(5120);
        float[] largest = context.allocateFloatLocalArray(64);
        float[] total = context.allocateFloatLocalArray(64);
        float[] factor = context.allocateFloatLocalArray(64);
        for (int i = thread; i < 5120; i += 128) sums[i] = 0f;
        if (thread < 64) {
            largest[thread] = -3e38f;
            total[thread] = 0f;
        }
        int seen = keys;
        if (causal == 1) seen = TornadoMath.min(first + 64, keys);
        for (int at = 0; at < seen; at += 128) {
            for (int side = 0; side < WorkGroups.tripCount(128, thread); side += 64) {
                float[] s0 = context.mmaFragment(0f),
                        s1 = context.mmaFragment(0f),
                        s2 = context.mmaFragment(0f),
                        s3 = context.mmaFragment(0f);
                float[] s4 = context.mmaFragment(0f),
                        s5 = context.mmaFragment(0f),
                        s6 = context.mmaFragment(0f),
                        s7 = context.mmaFragment(0f);
                for (int d = 0; d < WorkGroups.tripCount(depth, thread); d += 16) {
                    for (int i = thread; i < 512; i += 128) {
                        int row = first + i / 8, from = d + i % 8 * 2;
                        left[i] = pair(
                                q,
                                queryAt + row * width + from,
                                1,
                                row < queries && from < depth,
                                row < queries && from + 1 < depth);
                    }
                    // Of one step of K and two neighbouring keys: consecutive threads read consecutive elements.
                    for (int i = thread; i < 512; i += 128) {
                        int step = i % 16, two = i / 16, key = at + side + two * 2;
                        right[two / 4 * 64 + step * 4 + two % 4] = pair(
                                k,
                                keyAt + key * width + d + step,
                                width,
                                key < keys && d + step < depth,
                                key + 1 < keys && d + step < depth);
                    }
                    context.localBarrier();
                    HalfFloat[] a = context.mmaLoadA(left, 16, warp * 512);
                    HalfFloat[] b0 = context.mmaLoadB(right, 16, 0);
                    HalfFloat[] b1 = context.mmaLoadB(right, 16, 256);
                    HalfFloat[] b2 = context.mmaLoadB(right, 16, 512);
                    HalfFloat[] b3 = context.mmaLoadB(right, 16, 768);
                    HalfFloat[] b4 = context.mmaLoadB(right, 16, 1024);
                    HalfFloat[] b5 = context.mmaLoadB(right, 16, 1280);
                    HalfFloat[] b6 = context.mmaLoadB(right, 16, 1536);
                    HalfFloat[] b7 = context.mmaLoadB(right, 16, 1792);
                    s0 = context.mma(a, b0, s0, MMAShape.M16N8K16);
                    s1 = context.mma(a, b1, s1, MMAShape.M16N8K16);
                    s2 = context.mma(a, b2, s2, MMAShape.M16N8K16);
                    s3 = context.mma(a, b3, s3, MMAShape.M16N8K16);
                    s4 = context.mma(a, b4, s4, MMAShape.M16N8K16);
                    s5 = context.mma(a, b5, s5, MMAShape.M16N8K16);
                    s6 = context.mma(a, b6, s6, MMAShape.M16N8K16);
                    s7 = context.mma(a, b7, s7, MMAShape.M16N8K16);
                    context.localBarrier();
                }
                context.mmaStore(s0, scratch, rows + warp * 16, side + 0, 128);
                context.mmaStore(s1, scratch, rows + warp * 16, side + 8, 128);
                context.mmaStore(s2, scratch, rows + warp * 16, side + 16, 128);
                context.mmaStore(s3, scratch, rows + warp * 16, side + 24, 128);
                context.mmaStore(s4, scratch, rows + warp * 16, side + 32, 128);
                context.mmaStore(s5, scratch, rows + warp * 16, side + 40, 128);
                context.mmaStore(s6, scratch, rows + warp * 16, side + 48, 128);
                context.mmaStore(s7, scratch, rows + warp * 16, side + 56, 128);
            }
            context.localBarrier();
            // A warp takes one of its rows after the other, 4 scores a thread.
            for (int r = 0; r < WorkGroups.tripCount(16, thread); r++) {
                int row = warp * 16 + r, from = (rows + row) * 128 + lane;
                float v0 = AttentionGpu.score(scratch.get(from + 0) * scale, first + row, at + lane + 0, keys, causal);
                float v1 =
                        AttentionGpu.score(scratch.get(from + 32) * scale, first + row, at + lane + 32, keys, causal);
                float v2 =
                        AttentionGpu.score(scratch.get(from + 64) * scale, first + row, at + lane + 64, keys, causal);
                float v3 =
                        AttentionGpu.score(scratch.get(from + 96) * scale, first + row, at + lane + 96, keys, causal);
                float m = TornadoMath.max(TornadoMath.max(v0, v1), TornadoMath.max(v2, v3));
                m = TornadoMath.max(m, context.simdShuffleDown(m, 16));
                m = TornadoMath.max(m, context.simdShuffleDown(m, 8));
                m = TornadoMath.max(m, context.simdShuffleDown(m, 4));
                m = TornadoMath.max(m, context.simdShuffleDown(m, 2));
                m = TornadoMath.max(m, context.simdShuffleDown(m, 1));
                float before = largest[row];
                m = TornadoMath.max(before, context.simdBroadcastFirst(m));
                v0 = TornadoMath.exp(v0 - m);
                v1 = TornadoMath.exp(v1 - m);
                v2 = TornadoMath.exp(v2 - m);
                v3 = TornadoMath.exp(v3 - m);
                scratch.set(from + 0, v0);
                scratch.set(from + 32, v1);
                scratch.set(from + 64, v2);
                scratch.set(from + 96, v3);
                float sum = context.simdSum((v0 + v1) + (v2 + v3));
                if (lane == 0) {
                    float f = TornadoMath.exp(before - m);
                    largest[row] = m;
                    factor[row] = f;
                    total[row] = total[row] * f + sum;
                }
            }
            context.localBarrier();
            for (int i = thread; i < 4096; i += 128)
                weights[i] = pair(scratch, (rows + i % 512 / 8) * 128 + i / 512 * 16 + i % 8 * 2, 1, true, true);
            float[] y0 = context.mmaFragment(0f),
                    y1 = context.mmaFragment(0f),
                    y2 = context.mmaFragment(0f),
                    y3 = context.mmaFragment(0f),
                    y4 = context.mmaFragment(0f);
            float[] y5 = context.mmaFragment(0f),
                    y6 = context.mmaFragment(0f),
                    y7 = context.mmaFragment(0f),
                    y8 = context.mmaFragment(0f),
                    y9 = context.mmaFragment(0f);
            for (int step = 0; step < WorkGroups.tripCount(8, thread); step++) {
                for (int i = thread; i < 640; i += 128) {
                    int key = at + step * 16 + i / 40, two = i % 40, c = column + two * 2;
                    right[two / 4 * 64 + i / 40 * 4 + two % 4] =
                            pair(v, keyAt + key * width + c, 1, key < keys && c < end, key < keys && c + 1 < end);
                }
                context.localBarrier();
                HalfFloat[] a = context.mmaLoadA(weights, 16, step * 2048 + warp * 512);
                HalfFloat[] b0 = context.mmaLoadB(right, 16, 0);
                HalfFloat[] b1 = context.mmaLoadB(right, 16, 256);
                HalfFloat[] b2 = context.mmaLoadB(right, 16, 512);
                HalfFloat[] b3 = context.mmaLoadB(right, 16, 768);
                HalfFloat[] b4 = context.mmaLoadB(right, 16, 1024);
                HalfFloat[] b5 = context.mmaLoadB(right, 16, 1280);
                HalfFloat[] b6 = context.mmaLoadB(right, 16, 1536);
                HalfFloat[] b7 = context.mmaLoadB(right, 16, 1792);
                HalfFloat[] b8 = context.mmaLoadB(right, 16, 2048);
                HalfFloat[] b9 = context.mmaLoadB(right, 16, 2304);
                y0 = context.mma(a, b0, y0, MMAShape.M16N8K16);
                y1 = context.mma(a, b1, y1, MMAShape.M16N8K16);
                y2 = context.mma(a, b2, y2, MMAShape.M16N8K16);
                y3 = context.mma(a, b3, y3, MMAShape.M16N8K16);
                y4 = context.mma(a, b4, y4, MMAShape.M16N8K16);
                y5 = context.mma(a, b5, y5, MMAShape.M16N8K16);
                y6 = context.mma(a, b6, y6, MMAShape.M16N8K16);
                y7 = context.mma(a, b7, y7, MMAShape.M16N8K16);
                y8 = context.mma(a, b8, y8, MMAShape.M16N8K16);
                y9 = context.mma(a, b9, y9, MMAShape.M16N8K16);
                context.localBarrier();
            }
            context.mmaStore(y0, scratch, rows + warp * 16, 0, 128);
            context.mmaStore(y1, scratch, rows + warp * 16, 8, 128);
            context.mmaStore(y2, scratch, rows + warp * 16, 16, 128);
            context.mmaStore(y3, scratch, rows + warp * 16, 24, 128);
            context.mmaStore(y4, scratch, rows + warp * 16, 32, 128);
            context.mmaStore(y5, scratch, rows + warp * 16, 40, 128);
            context.mmaStore(y6, scratch, rows + warp * 16, 48, 128);
            context.mmaStore(y7, scratch, rows + warp * 16, 56, 128);
            context.mmaStore(y8, scratch, rows + warp * 16, 64, 128);
            context.mmaStore(y9, scratch, rows + warp * 16, 72, 128);
            context.localBarrier();
            for (int i = thread; i < 5120; i += 128)
                sums[i] = sums[i] * factor[i / 80] + scratch.get((rows + i / 80) * 128 + i % 80);
            context.localBarrier();
        }
        for (int i = thread; i < 5120; i += 128) {
            int query = first + i / 80, c = column + i % 80;
            if (query < queries && c < end) y.set(queryAt + query * width + c, sums[i] / total[i / 80]);
        }
    }

    /** Two elements rounded to F16, packed as local memory holds them; 0 where one is not there. */
    private static int pair(FloatArray a, int low, int distance, boolean hasLow, boolean hasHigh) {
        int bits = 0;
        if (hasLow) bits = new HalfFloat(a.get(low)).getHalfFloatValue() & 0xFFFF;
        if (hasHigh) bits |= (new HalfFloat(a.get(low + distance)).getHalfFloatValue() & 0xFFFF) << 16;
        return bits;
    }
}
