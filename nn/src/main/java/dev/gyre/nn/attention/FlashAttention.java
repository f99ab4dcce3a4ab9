package dev.gyre.nn.attention;

import dev.gyre.core.JvmMemory;
import dev.gyre.core.Scratch;
import dev.gyre.core.Value;
import dev.gyre.nn.cpu.MicroKernel;
import dev.gyre.nn.cpu.ScratchSlots;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A block of queries of one head by online softmax (FlashAttention, Dao et al. 2022). Scores are [keys, queries] in
 * panels, so that the softmax runs down the columns and its result is the right operand of the product with the values.
 */
final class FlashAttention {
    /** Keys of a block: between two rescalings of the running sums. */
    static final int KEYS = 192;

    /** Packs the operands in the micro-kernel's layout. A packed element may hold more than one channel or key. */
    interface Packing {
        /** Packed elements that hold {@code numbers} elements. */
        int elements(int numbers);

        /** Packs query i of the head as column i of the panels, multiplied by {@code scale}. */
        void queries(float[][] to, int arrays, float scale);

        /** Packs keys as rows of the left operand. */
        void keys(int at, int count, float[] to);

        /** Packs values as columns of the left operand, in panels of {@code mr} channels. */
        void values(int at, int count, int mr, float[] to);
    }

    final Attention op;
    final MicroKernel micro;
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
            Attention op, JvmMemory memory, int batch, int head, int first, int n, MicroKernel micro, Scratch scratch) {
        this.op = op;
        this.batch = batch;
        this.head = head;
        this.first = first;
        this.n = n;
        this.micro = micro;
        this.scratch = scratch;
        width = op.q().dim(2);
        depth = width / op.heads();
        panels = micro.panels(n);
        queries = memory.at(op.q()).data();
        keys = memory.at(op.k()).data();
        values = memory.at(op.v()).data();
        to = memory.at(op.y()).data();
    }

    void run(Packing packing) {
        MicroKernel channels = micro.fitting(depth);
        int mr = micro.mr(), padded = channels.padded(depth), all = panels * micro.nr();
        int elements = packing.elements(depth);
        int arrays = micro.arrays(KEYS + mr), arraysQ = micro.arrays(elements), arraysY = micro.arrays(padded);
        float[][] query = scratch.rows(ScratchSlots.QUERIES, panels * arraysQ, micro.arrayLength(elements));
        float[][] scores = scratch.rows(ScratchSlots.SCORES, panels * arrays, micro.arrayLength(KEYS + mr));
        float[][] sums = scratch.rows(ScratchSlots.C_PANELS, panels * arraysY, micro.arrayLength(padded));
        float[] left = scratch.floats(ScratchSlots.KEYS, micro.padded(KEYS) * elements);
        float[] right = scratch.floats(ScratchSlots.VALUES, padded * KEYS);
        float[] largest = scratch.floats(ScratchSlots.ALL_MAX, all),
                total = scratch.floats(ScratchSlots.ALL_TOTAL, all);
        float[] correction = scratch.floats(ScratchSlots.CORRECTION, all);
        Arrays.fill(largest, 0, all, Float.NEGATIVE_INFINITY);
        Arrays.fill(total, 0, all, 0f);
        packing.queries(query, arraysQ, (float) (1 / Math.sqrt(depth)));

        int end = op.causal() ? Math.min(op.k().dim(1), first + n) : op.k().dim(1);
        for (int at = 0; at < end; at += KEYS) {
            int count = Math.min(KEYS, end - at);
            packing.keys(at, count, left);
            packing.values(at, count, channels.mr(), right);
            for (int panel = 0; panel < panels; panel++) {
                int begin = panel * micro.nr(), columns = Math.min(micro.nr(), n - begin);
                int s = panel * arrays, y = panel * arraysY;
                micro.multiply(false, left, 0, query, panel * arraysQ, elements, scores, s, 0, count, columns, scratch);
                if (op.causal()) mask(scores, s, arrays, at, count, first + begin, columns);
                micro.softmax(scores, s, count, columns, largest, total, correction, begin, scratch);
                if (at > 0) micro.scale(sums, y, depth, columns, correction, begin);
                channels.multiply(
                        at > 0, right, 0, scores, s, packing.elements(count), sums, y, 0, depth, columns, scratch);
            }
        }
        store(sums, arraysY, total);
    }

    /** Masks the scores of keys that come after a query. */
    private void mask(float[][] scores, int panel, int arrays, int at, int count, int query, int columns) {
        float[] masked = scratch.floats(ScratchSlots.LINE, columns);
        Arrays.fill(masked, 0, columns, Float.NEGATIVE_INFINITY);
        for (int j = 0; j < count; j++)
            micro.packRow(masked, 0, Math.clamp(at + j - (long) query, 0, columns), scores, panel, arrays, j, 0);
    }

    private void store(float[][] sums, int arrays, float[] total) {
        for (int i = 0; i < panels * micro.nr(); i++) total[i] = 1 / total[i];
        for (int panel = 0; panel < panels; panel++) {
            int begin = panel * micro.nr(), columns = Math.min(micro.nr(), n - begin);
            micro.scale(sums, panel * arrays, depth, columns, total, begin);
            micro.storeTransposed(sums, panel * arrays, depth, columns, to, offset(op.q(), first + begin), width);
        }
    }

    /** The offset of the head's channels in a row of q, k or v, in floats. */
    long offset(Value of, int row) {
        return ((long) batch * of.dim(1) + row) * width + (long) head * depth;
    }
}
