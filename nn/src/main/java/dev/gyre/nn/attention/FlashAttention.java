package dev.gyre.nn.attention;

import dev.gyre.core.JvmMemory;
import dev.gyre.core.Scratch;
import dev.gyre.core.Value;
import dev.gyre.nn.cpu.MicroKernel;
import dev.gyre.nn.cpu.ScratchSlots;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Some queries of one head by streaming softmax (Dao et al. 2022), queries side by side: scores stand as [keys, queries] in strips,
 * so that the softmax runs down the columns, and what it leaves is the right side of the product with the values.
 */
final class FlashAttention {
    /** Keys between two corrections of the running softmax. */
    static final int KEYS = 192;

    /** Brings what is multiplied into the order in which the tile reads it. An element may hold more than one number. */
    interface Packing {
        /** Elements that so many numbers take. */
        int elements(int numbers);

        /** Query i of the head as column i of strips, times {@code scale}. */
        void queries(float[][] to, int lines, float scale);

        /** Keys as rows of a left side, in bands. */
        void keys(int at, int count, float[] to);

        /** Values as columns of a left side, in bands of {@code band} channels. */
        void values(int at, int count, int band, float[] to);
    }

    final Attention op;
    final MicroKernel tile;
    final Scratch scratch;
    final int first;
    final int n;
    final int width;
    final int depth;
    final int panels;
    final MemorySegment queries;
    final MemorySegment keys;
    final MemorySegment values;
    private final MemorySegment to;
    private final int batch;
    private final int head;

    /** @param n queries of the head, from {@code first} on */
    FlashAttention(
            Attention op, JvmMemory memory, int batch, int head, int first, int n, MicroKernel tile, Scratch scratch) {
        this.op = op;
        this.batch = batch;
        this.head = head;
        this.first = first;
        this.n = n;
        this.tile = tile;
        this.scratch = scratch;
        width = op.q().dim(2);
        depth = width / op.heads();
        panels = tile.panels(n);
        queries = memory.at(op.q()).data();
        keys = memory.at(op.k()).data();
        values = memory.at(op.v()).data();
        to = memory.at(op.y()).data();
    }

    void run(Packing loading) {
        MicroKernel channels = tile.fitting(depth);
        int band = tile.mr(), padded = channels.padded(depth), all = panels * tile.nr();
        int elements = loading.elements(depth);
        int lines = tile.arrays(KEYS + band), linesQ = tile.arrays(elements), linesY = tile.arrays(padded);
        float[][] query = scratch.rows(ScratchSlots.QUERIES, panels * linesQ, tile.arrayLength(elements));
        float[][] scores = scratch.rows(ScratchSlots.SCORES, panels * lines, tile.arrayLength(KEYS + band));
        float[][] sums = scratch.rows(ScratchSlots.C_PANELS, panels * linesY, tile.arrayLength(padded));
        float[] left = scratch.floats(ScratchSlots.KEYS, tile.padded(KEYS) * elements);
        float[] right = scratch.floats(ScratchSlots.VALUES, padded * KEYS);
        float[] largest = scratch.floats(ScratchSlots.ALL_MAX, all),
                total = scratch.floats(ScratchSlots.ALL_TOTAL, all);
        float[] correction = scratch.floats(ScratchSlots.CORRECTION, all);
        Arrays.fill(largest, 0, all, Float.NEGATIVE_INFINITY);
        Arrays.fill(total, 0, all, 0f);
        loading.queries(query, linesQ, (float) (1 / Math.sqrt(depth)));

        int end = op.causal() ? Math.min(op.k().dim(1), first + n) : op.k().dim(1);
        for (int at = 0; at < end; at += KEYS) {
            int count = Math.min(KEYS, end - at);
            loading.keys(at, count, left);
            loading.values(at, count, channels.mr(), right);
            for (int strip = 0; strip < panels; strip++) {
                int begin = strip * tile.nr(), wide = Math.min(tile.nr(), n - begin);
                int s = strip * lines, y = strip * linesY;
                tile.multiply(false, left, 0, query, strip * linesQ, elements, scores, s, 0, count, wide, scratch);
                if (op.causal()) mask(scores, s, lines, at, count, first + begin, wide);
                tile.softmax(scores, s, count, wide, largest, total, correction, begin, scratch);
                if (at > 0) tile.scale(sums, y, depth, wide, correction, begin);
                channels.multiply(
                        at > 0, right, 0, scores, s, loading.elements(count), sums, y, 0, depth, wide, scratch);
            }
        }
        store(sums, linesY, total);
    }

    /** Queries that come before a key do not see it. */
    private void mask(float[][] scores, int strip, int lines, int at, int count, int query, int wide) {
        float[] never = scratch.floats(ScratchSlots.LINE, wide);
        Arrays.fill(never, 0, wide, Float.NEGATIVE_INFINITY);
        for (int j = 0; j < count; j++)
            tile.packRow(never, 0, Math.clamp(at + j - (long) query, 0, wide), scores, strip, lines, j, 0);
    }

    private void store(float[][] sums, int lines, float[] total) {
        for (int i = 0; i < panels * tile.nr(); i++) total[i] = 1 / total[i];
        for (int strip = 0; strip < panels; strip++) {
            int begin = strip * tile.nr(), wide = Math.min(tile.nr(), n - begin);
            tile.scale(sums, strip * lines, depth, wide, total, begin);
            tile.storeTransposed(sums, strip * lines, depth, wide, to, offset(op.q(), first + begin), width);
        }
    }

    /** Where the head's channels of a row of q, k or v begin, in floats. */
    long offset(Value of, int row) {
        return ((long) batch * of.dim(1) + row) * width + (long) head * depth;
    }
}
