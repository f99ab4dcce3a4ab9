package dev.gyre.nn.cpu;

import dev.gyre.core.Scratch;
import dev.gyre.core.Workers;
import java.lang.foreign.MemorySegment;

/**
 * C[m, n] = A[m, k] · B[k, n] on bf16, k counted in {@link Bf16Pairs}. Unlike {@link Gemm} it does not bring everything to arrays first:
 * machine code reads weights where they lie, and a strip of C goes to its place while it is in the first cache.
 *
 * <p>k is cut into panels, so that some rows of A by one panel stay in the second cache while strips of B pass by.
 */
public final class GemmBf16 {
    /** Rows of A that are taken at a time. */
    private static final int MC = 192;

    /** Pairs of a panel at most: a multiple of the depth of a tile of AMX. */
    private static final int KC = 640;

    private GemmBf16() {}

    /** The left matrix. */
    public interface LeftOperand {
        /** Bands of {@code rows} rows from {@code row} on, of pairs {@code from … from + depth}, made in {@code room} if they are not there. */
        MemorySegment panels(int row, int rows, int from, int depth, float[] room, Scratch scratch);
    }

    /** The right matrix, which knows how it is multiplied with. */
    public interface RightOperand {
        /** C = or += the product of the bands {@code a} with the strip that begins at {@code column}. */
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

    /** Panels of so many pairs. */
    static int kBlocks(int k) {
        return (k + KC - 1) / KC;
    }

    /** Where a panel begins; panel {@link #kBlocks} begins at k. */
    static int kBegin(int k, int i) {
        int even = (int) ((long) k * i / kBlocks(k));
        return i == kBlocks(k) ? k : even / 16 * 16;
    }

    public static void run(
            MachineBf16Kernel tile, int m, int n, int k, LeftOperand a, RightOperand b, PanelOutput c, Workers workers) {
        int strips = tile.panels(n), wanted = 4 * workers.threads();
        int cuts = Math.max((m + MC - 1) / MC, Math.min(m / 96, wanted));
        int rows = tile.padded((m + Math.max(1, cuts) - 1) / Math.max(1, cuts)), chunks = (m + rows - 1) / rows;
        // Every block of columns reads its rows of A again.
        int blocks = Math.max(1, Math.min(strips, (wanted + chunks - 1) / chunks));
        blocks = Math.max(blocks, (strips + 127) / 128);
        int some = (strips + blocks - 1) / blocks, of = (strips + some - 1) / some;
        workers.run(of * chunks, (piece, scratch) -> {
            int row = piece % chunks * rows, first = piece / chunks * some;
            block(tile, row, Math.min(rows, m - row), first, Math.min(some, strips - first), n, k, a, b, c, scratch);
        });
    }

    private static void block(
            MachineBf16Kernel tile,
            int row,
            int rows,
            int firstStrip,
            int strips,
            int n,
            int k,
            LeftOperand a,
            RightOperand b,
            PanelOutput c,
            Scratch scratch) {
        int padded = tile.padded(rows), panels = kBlocks(k), strip = tile.nr(), size = padded * strip;
        float[] room = scratch.floats(ScratchSlots.A_PANELS, padded * Math.min(k, KC + 16));
        MemorySegment sums = MemorySegment.ofArray(
                scratch.floats(ScratchSlots.PANEL_SUMS, (panels == 1 ? 1 : strips) * size + strip));
        for (int i = 0; i < panels; i++) {
            int from = kBegin(k, i), depth = kBegin(k, i + 1) - from;
            MemorySegment left = a.panels(row, rows, from, depth, room, scratch);
            for (int s = 0; s < strips; s++) {
                int column = (firstStrip + s) * strip;
                MemorySegment here = sums.asSlice((panels == 1 ? 0 : (long) s * size) * Float.BYTES);
                b.multiply(i > 0, left, rows, column, from, depth, here, scratch);
                if (i == panels - 1) c.store(here, row, rows, column, Math.min(strip, n - column));
            }
        }
    }
}
