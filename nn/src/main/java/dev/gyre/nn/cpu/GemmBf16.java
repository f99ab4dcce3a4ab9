package dev.gyre.nn.cpu;

import dev.gyre.core.Scratch;
import dev.gyre.core.Workers;
import java.lang.foreign.MemorySegment;

/**
 * C[m, n] = A[m, k] · B[k, n] on bf16, with k counted in {@link Bf16Pairs}. Unlike {@link Gemm} it does not copy its
 * operands to arrays first: machine code reads weights in place, and a panel of C is stored while it is in the L1
 * cache.
 *
 * <p>k is divided into blocks, so that a block of A stays in the L2 cache while panels of B stream past.
 */
public final class GemmBf16 {
    /** Rows of a block of A. */
    private static final int MC = 192;

    /** Pairs of a block along K at most: a multiple of the depth of an AMX tile. */
    private static final int KC = 640;

    private GemmBf16() {}

    /** The left operand, A. */
    public interface LeftOperand {
        /**
         * Panels of A with {@code rows} rows from {@code row} on, of pairs {@code from … from + depth}; packed into
         * {@code room} unless they are in memory already.
         */
        MemorySegment panels(int row, int rows, int from, int depth, float[] room, Scratch scratch);
    }

    /** The right operand, B, which knows how to be multiplied with. */
    public interface RightOperand {
        /**
         * Sets C to, or adds to C, the product of the panels {@code a} with the panel that begins at {@code column}.
         */
        void multiply(
                boolean add,
                MemorySegment a,
                int rows,
                int column,
                int from,
                int depth,
                MemorySegment c,
                Scratch scratch);
    }

    /** The number of blocks along K. */
    static int kBlocks(int k) {
        return (k + KC - 1) / KC;
    }

    /** Where block {@code i} begins, in pairs; block {@link #kBlocks} begins at k. */
    static int kBegin(int k, int i) {
        int even = (int) ((long) k * i / kBlocks(k));
        return i == kBlocks(k) ? k : even / 16 * 16;
    }

    public static void run(
            MachineBf16Kernel micro,
            int m,
            int n,
            int k,
            LeftOperand a,
            RightOperand b,
            PanelOutput c,
            Workers workers) {
        int panels = micro.panels(n), wanted = 4 * workers.threads();
        int split = Math.max(1, Math.max((m + MC - 1) / MC, Math.min(m / 96, wanted)));
        int rows = micro.padded((m + split - 1) / split), chunks = (m + rows - 1) / rows;
        // Every block of columns reads its rows of A again.
        int minBlocks = Math.max(1, Math.min(panels, (wanted + chunks - 1) / chunks));
        minBlocks = Math.max(minBlocks, (panels + 127) / 128);
        int step = (panels + minBlocks - 1) / minBlocks, blocks = (panels + step - 1) / step;
        workers.run(blocks * chunks, (piece, scratch) -> {
            int row = piece % chunks * rows, first = piece / chunks * step;
            block(micro, row, Math.min(rows, m - row), first, Math.min(step, panels - first), n, k, a, b, c, scratch);
        });
    }

    private static void block(
            MachineBf16Kernel micro,
            int row,
            int rows,
            int firstPanel,
            int panels,
            int n,
            int k,
            LeftOperand a,
            RightOperand b,
            PanelOutput c,
            Scratch scratch) {
        int padded = micro.padded(rows), kBlocks = kBlocks(k), nr = micro.nr(), size = padded * nr;
        float[] room = scratch.floats(ScratchSlots.A_PANELS, padded * Math.min(k, KC + 16));
        MemorySegment sums =
                MemorySegment.ofArray(scratch.floats(ScratchSlots.PANEL_SUMS, (kBlocks == 1 ? 1 : panels) * size + nr));
        for (int i = 0; i < kBlocks; i++) {
            int from = kBegin(k, i), depth = kBegin(k, i + 1) - from;
            MemorySegment left = a.panels(row, rows, from, depth, room, scratch);
            for (int panel = 0; panel < panels; panel++) {
                int column = (firstPanel + panel) * nr;
                MemorySegment here = sums.asSlice((kBlocks == 1 ? 0 : (long) panel * size) * Float.BYTES);
                b.multiply(i > 0, left, rows, column, from, depth, here, scratch);
                if (i == kBlocks - 1) c.store(here, row, rows, column, Math.min(nr, n - column));
            }
        }
    }
}
