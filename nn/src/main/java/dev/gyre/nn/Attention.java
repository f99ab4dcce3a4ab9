package dev.gyre.nn;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Op;
import dev.gyre.core.Scratch;
import dev.gyre.core.Step;
import dev.gyre.core.Value;
import dev.gyre.core.Workers;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * y = softmax(q · kᵀ / √depth) · v for every head (Vaswani et al. 2017), a head being {@code depth} neighbouring channels.
 *
 * @param q [batch, queries, heads · depth]
 * @param k [batch, keys, heads · depth]
 * @param v [batch, keys, heads · depth]
 * @param causal whether query i sees keys 0 to i only
 * @param y as q
 */
public record Attention(Value q, Value k, Value v, int heads, boolean causal, Value y) implements Op {
    /** Queries that one piece of the fast way takes side by side. */
    private static final int QUERIES = Gemm.WIDTH;

    /** Keys between two corrections of the running softmax. */
    private static final int KEYS = 192;

    public static Value of(Value q, Value k, Value v, int heads, boolean causal) {
        if (q.dim(2) % heads != 0)
            throw new IllegalArgumentException(
                    "attention over " + q + ": " + q.dim(2) + " channels do not make " + heads + " heads");
        return Elementwise.like(q, y -> new Attention(q, k, v, heads, causal, y));
    }

    @Override
    public List<Value> inputs() {
        return List.of(q, k, v);
    }

    @Override
    public Value output() {
        return y;
    }

    @Override
    public List<Step> loops() {
        int depth = q.dim(2) / heads;
        return List.of(Step.of(
                q.dim(0) * heads * q.dim(1),
                Attention::attention,
                q.dim(1),
                k.dim(1),
                heads,
                depth,
                causal ? 1 : 0,
                (float) (1 / Math.sqrt(depth)),
                q,
                k,
                v,
                y));
    }

    /**
     * The definition: one query of one head an iteration. The largest score is found first, so that no exponential overflows; the
     * weighted values are summed in y itself, so no row of scores is stored.
     */
    public static void attention(
            int begin,
            int count,
            int queries,
            int keys,
            int heads,
            int depth,
            int causal,
            float scale,
            FloatArray q,
            FloatArray k,
            FloatArray v,
            FloatArray y) {
        for (@Parallel int n = 0; n < count; n++) {
            int i = begin + n, query = i % queries, head = i / queries % heads, batch = i / (queries * heads);
            int width = heads * depth;
            int at = (batch * queries + query) * width + head * depth;
            int first = batch * keys * width + head * depth;
            int seen = causal == 1 ? TornadoMath.min(query + 1, keys) : keys;
            float largest = -3.4e38f;
            for (int j = 0; j < seen; j++) {
                float score = 0f;
                for (int c = 0; c < depth; c++) score += q.get(at + c) * k.get(first + j * width + c);
                largest = TornadoMath.max(largest, score * scale);
            }
            for (int c = 0; c < depth; c++) y.set(at + c, 0f);
            float sum = 0f;
            for (int j = 0; j < seen; j++) {
                float score = 0f;
                for (int c = 0; c < depth; c++) score += q.get(at + c) * k.get(first + j * width + c);
                float p = TornadoMath.exp(score * scale - largest);
                sum += p;
                for (int c = 0; c < depth; c++) y.set(at + c, y.get(at + c) + p * v.get(first + j * width + c));
            }
            for (int c = 0; c < depth; c++) y.set(at + c, y.get(at + c) / sum);
        }
    }

    /**
     * Streaming softmax (Dao et al. 2022) with queries side by side: scores stand as [keys, queries], so that every loop, the
     * softmax's too, runs along the queries.
     */
    @Override
    public Optional<JvmKernel> jvm() {
        return Optional.of(this::run);
    }

    private void run(JvmMemory memory, Workers workers) {
        MemorySegment from = memory.at(q).data(), keyData = memory.at(k).data();
        MemorySegment valueData = memory.at(v).data(), to = memory.at(y).data();
        int blocks = (q.dim(1) + QUERIES - 1) / QUERIES;
        workers.run(q.dim(0) * heads * blocks, (piece, scratch) -> {
            int batch = piece / (heads * blocks), head = piece / blocks % heads, first = piece % blocks * QUERIES;
            block(batch, head, first, Math.min(QUERIES, q.dim(1) - first), from, keyData, valueData, to, scratch);
        });
    }

    private void block(
            int batch,
            int head,
            int first,
            int n,
            MemorySegment from,
            MemorySegment keyData,
            MemorySegment valueData,
            MemorySegment to,
            Scratch scratch) {
        Tile tile = Tile.BEST;
        int width = q.dim(2), depth = width / heads, keys = k.dim(1);
        float[][] query = scratch.rows(3, depth, QUERIES); // [depth, queries]
        float[][] sums = scratch.rows(4, tile.padded(depth), QUERIES); // [depth, queries], what becomes y
        float[][] scores = scratch.rows(5, tile.padded(KEYS), QUERIES); // [keys, queries]
        float[] key = scratch.floats(0, tile.padded(KEYS) * Gemm.DEPTH); // [keys, a panel of depth]
        float[] value = scratch.floats(1, tile.padded(depth) * Gemm.DEPTH); // [depth, keys]
        float[] largest = scratch.floats(2, QUERIES), total = scratch.floats(3, QUERIES);
        float[] correction = scratch.floats(4, QUERIES), row = scratch.floats(5, depth);
        int[] bits = scratch.ints(QUERIES);
        float scale = (float) (1 / Math.sqrt(depth));

        for (int i = 0; i < n; i++) {
            read(from, (batch * q.dim(1) + first + i) * (long) width + head * depth, row, 0, depth);
            for (int c = 0; c < depth; c++) query[c][i] = row[c] * scale;
        }
        for (int c = 0; c < depth; c++) Arrays.fill(sums[c], 0, n, 0f);
        Arrays.fill(largest, 0, n, Float.NEGATIVE_INFINITY);
        Arrays.fill(total, 0, n, 0f);

        int end = causal ? Math.min(keys, first + n) : keys;
        for (int at = 0; at < end; at += KEYS) {
            int count = Math.min(KEYS, end - at);
            long offset = (batch * keys + at) * (long) width + head * depth;
            for (int j = 0; j < count; j++) Arrays.fill(scores[j], 0, n, 0f);
            for (int panel = 0; panel < depth; panel += Gemm.DEPTH) {
                int part = Math.min(Gemm.DEPTH, depth - panel);
                for (int j = 0; j < count; j++)
                    read(keyData, offset + (long) j * width + panel, key, j * Gemm.DEPTH, part);
                tile.multiplyAll(key, query, panel, part, scores, count, n, scratch);
            }
            if (causal) mask(scores, at, count, first, n);
            softmax(scores, count, n, largest, total, correction, bits);
            for (int j = 0; j < count; j++) {
                read(valueData, offset + (long) j * width, row, 0, depth);
                for (int c = 0; c < depth; c++) value[c * Gemm.DEPTH + j] = row[c];
            }
            for (int c = 0; c < depth; c++) scale(sums[c], correction, n);
            tile.multiplyAll(value, scores, 0, count, sums, depth, n, scratch);
        }
        for (int i = 0; i < n; i++) {
            for (int c = 0; c < depth; c++) row[c] = sums[c][i] / total[i];
            long offset = (batch * q.dim(1) + first + i) * (long) width + head * depth;
            MemorySegment.copy(row, 0, to, ValueLayout.JAVA_FLOAT, offset * Float.BYTES, depth);
        }
    }

    /** Scores become exponentials; largest, total and the correction of what was summed before follow. */
    private static void softmax(
            float[][] scores, int count, int n, float[] largest, float[] total, float[] correction, int[] bits) {
        System.arraycopy(largest, 0, correction, 0, n);
        for (int j = 0; j < count; j++) max(largest, scores[j], n);
        subtract(correction, largest, n);
        Exp.inPlace(correction, n, bits);
        scale(total, correction, n);
        for (int j = 0; j < count; j++) {
            subtract(scores[j], largest, n);
            Exp.inPlace(scores[j], n, bits);
            add(total, scores[j], n);
        }
    }

    private static void mask(float[][] scores, int at, int count, int first, int n) {
        for (int j = 0; j < count; j++)
            Arrays.fill(scores[j], 0, Math.clamp(at + j - (long) first, 0, n), Float.NEGATIVE_INFINITY);
    }

    private static void read(MemorySegment data, long offset, float[] to, int at, int count) {
        MemorySegment.copy(data, ValueLayout.JAVA_FLOAT, offset * Float.BYTES, to, at, count);
    }

    private static void max(float[] a, float[] b, int n) {
        for (int i = 0; i < n; i++) a[i] = Math.max(a[i], b[i]);
    }

    private static void subtract(float[] a, float[] b, int n) {
        for (int i = 0; i < n; i++) a[i] -= b[i];
    }

    private static void add(float[] a, float[] b, int n) {
        for (int i = 0; i < n; i++) a[i] += b[i];
    }

    private static void scale(float[] a, float[] b, int n) {
        for (int i = 0; i < n; i++) a[i] *= b[i];
    }
}
