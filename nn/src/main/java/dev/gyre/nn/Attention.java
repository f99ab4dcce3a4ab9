package dev.gyre.nn;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Op;
import dev.gyre.core.Scratch;
import dev.gyre.core.Step;
import dev.gyre.core.Target;
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
    private static final int QUERIES = 512;

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
    public long flops() {
        return 4L * q.shape().elements() * k.dim(1);
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

    @Override
    public List<Step> device(Target target) {
        return target.kernels() == Target.Kernels.LOOPS ? loops() : AttentionTiles.steps(this);
    }

    /**
     * Streaming softmax (Dao et al. 2022) with queries side by side: scores stand as [keys, queries] in strips, so that the softmax
     * runs down the columns, and what it leaves is the right side of the product with the values.
     */
    @Override
    public Optional<JvmKernel> jvm() {
        return Optional.of(this::run);
    }

    private void run(JvmMemory memory, Workers workers) {
        Tile tile = Tile.BEST;
        MemorySegment from = memory.at(q).data(), keys = memory.at(k).data();
        MemorySegment values = memory.at(v).data(), to = memory.at(y).data();
        int n = q.dim(1), groups = q.dim(0) * heads;
        // Each block reads the keys and values again: no finer than gives each thread something to do.
        int cuts = Math.max((n + QUERIES - 1) / QUERIES, Math.min(n / 64, workers.threads() * 2 / groups));
        int some = tile.strips((n + Math.max(1, cuts) - 1) / Math.max(1, cuts)) * tile.strip();
        int blocks = (n + some - 1) / some;
        workers.run(groups * blocks, (piece, scratch) -> {
            int group = piece / blocks, first = piece % blocks * some;
            new Block(tile, group / heads, group % heads, first, Math.min(some, n - first), scratch)
                    .run(from, keys, values, to);
        });
    }

    /** Some queries of one head. */
    private final class Block {
        private final Tile tile;
        private final int batch;
        private final int head;
        private final int first;
        private final int n;
        private final Scratch scratch;
        private final int width = q.dim(2);
        private final int depth = width / heads;
        private final int strips;

        Block(Tile tile, int batch, int head, int first, int n, Scratch scratch) {
            this.tile = tile;
            this.batch = batch;
            this.head = head;
            this.first = first;
            this.n = n;
            this.scratch = scratch;
            strips = tile.strips(n);
        }

        void run(MemorySegment from, MemorySegment keyData, MemorySegment valueData, MemorySegment to) {
            int band = tile.rows(), padded = tile.padded(depth), keys = k.dim(1);
            int lines = tile.lines(KEYS + band), linesQ = tile.lines(depth), linesY = tile.lines(padded);
            float[][] query = scratch.rows(Scratches.QUERIES, strips * linesQ, tile.lineLength(depth));
            float[][] scores = scratch.rows(Scratches.SCORES, strips * lines, tile.lineLength(KEYS + band));
            float[][] sums = scratch.rows(Scratches.RESULT, strips * linesY, tile.lineLength(padded));
            float[] left = scratch.floats(Scratches.KEYS, tile.padded(KEYS) * depth);
            float[] right = scratch.floats(Scratches.VALUES, padded * KEYS);
            int all = strips * tile.strip();
            float[] largest = scratch.floats(Scratches.ALL_LARGEST, all),
                    total = scratch.floats(Scratches.ALL_TOTAL, all);
            float[] correction = scratch.floats(Scratches.CORRECTION, all);
            Arrays.fill(largest, 0, all, Float.NEGATIVE_INFINITY);
            Arrays.fill(total, 0, all, 0f);
            queries(from, query, linesQ);

            int end = causal ? Math.min(keys, first + n) : keys;
            for (int at = 0; at < end; at += KEYS) {
                int count = Math.min(KEYS, end - at);
                keys(keyData, at, count, left);
                values(valueData, at, count, right);
                for (int strip = 0; strip < strips; strip++) {
                    int begin = strip * tile.strip(), wide = Math.min(tile.strip(), n - begin);
                    for (int j = 0; j < count; j += band)
                        tile.multiply(
                                false,
                                left,
                                j * depth,
                                query,
                                strip * linesQ,
                                depth,
                                scores,
                                strip * lines,
                                j,
                                wide,
                                scratch);
                    if (causal) mask(scores, strip * lines, lines, at, count, first + begin, wide);
                    tile.softmax(scores, strip * lines, count, wide, largest, total, correction, begin, scratch);
                    if (at > 0) tile.scale(sums, strip * linesY, depth, wide, correction, begin);
                    for (int c = 0; c < depth; c += band)
                        tile.multiply(
                                at > 0,
                                right,
                                c * count,
                                scores,
                                strip * lines,
                                count,
                                sums,
                                strip * linesY,
                                c,
                                wide,
                                scratch);
                }
            }
            store(sums, linesY, total, to);
        }

        /** Query i of the head as column i, divided by √depth. */
        private void queries(MemorySegment from, float[][] query, int lines) {
            float scale = (float) (1 / Math.sqrt(depth));
            Bands columns = (row, channel, count, to, at, unused) -> Bands.interleave(
                    (i, line) -> {
                        long begin = place(q, first + row + i) + (long) channel * Float.BYTES;
                        MemorySegment.copy(from, ValueLayout.JAVA_FLOAT, begin, line, 0, count);
                        for (int c = 0; c < count; c++) line[c] *= scale;
                    },
                    Math.min(tile.strip(), n - row),
                    count,
                    to,
                    at,
                    tile.strip(),
                    scratch);
            for (int strip = 0; strip < strips; strip++)
                tile.fill(columns, strip * tile.strip(), 0, depth, query, strip * lines, scratch);
        }

        /** Keys as rows of the left side, in bands. */
        private void keys(MemorySegment from, int at, int count, float[] to) {
            int band = tile.rows();
            for (int j = 0; j < count; j += band) {
                int first = at + j;
                Bands.interleave(
                        (i, row) -> read(from, k, first + i, row, depth),
                        Math.min(band, count - j),
                        depth,
                        to,
                        j * depth,
                        band,
                        scratch);
            }
        }

        /** Values as columns of the left side, in bands of channels. */
        private void values(MemorySegment from, int at, int count, float[] to) {
            int band = tile.rows();
            float[] row = scratch.floats(Scratches.LINE, tile.padded(depth));
            for (int j = 0; j < count; j++) {
                read(from, v, at + j, row, depth);
                for (int c = 0; c < depth; c += band) System.arraycopy(row, c, to, c * count + j * band, band);
            }
        }

        /** Queries that come before a key do not see it. */
        private void mask(float[][] scores, int strip, int lines, int at, int count, int query, int wide) {
            float[] never = scratch.floats(Scratches.LINE, wide);
            Arrays.fill(never, 0, wide, Float.NEGATIVE_INFINITY);
            for (int j = 0; j < count; j++)
                tile.put(never, 0, Math.clamp(at + j - (long) query, 0, wide), scores, strip, lines, j, 0);
        }

        private void store(float[][] sums, int lines, float[] total, MemorySegment to) {
            float[] row = scratch.floats(Scratches.LINE, depth);
            for (int i = 0; i < strips * tile.strip(); i++) total[i] = 1 / total[i];
            for (int strip = 0; strip < strips; strip++) {
                int begin = strip * tile.strip(), wide = Math.min(tile.strip(), n - begin);
                tile.scale(sums, strip * lines, depth, wide, total, begin);
                for (int i = 0; i < wide; i++) {
                    tile.column(sums, strip * lines, depth, i, row);
                    MemorySegment.copy(row, 0, to, ValueLayout.JAVA_FLOAT, place(q, first + begin + i), depth);
                }
            }
        }

        private void read(MemorySegment from, Value of, int row, float[] to, int count) {
            MemorySegment.copy(from, ValueLayout.JAVA_FLOAT, place(of, row), to, 0, count);
        }

        private long place(Value of, int row) {
            return (((long) batch * of.dim(1) + row) * width + (long) head * depth) * Float.BYTES;
        }
    }
}
