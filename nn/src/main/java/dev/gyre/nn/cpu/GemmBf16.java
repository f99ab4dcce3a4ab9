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
    private static final int ROWS = 192;

    /** Pairs of a panel at most: a multiple of the depth of a tile of AMX. */
    private static final int DEPTH = 640;

    private GemmBf16() {}

    /** The left matrix. */
    public interface Left {
        /** Bands of {@code rows} rows from {@code row} on, of pairs {@code from … from + depth}, made in {@code room} if they are not there. */
        MemorySegment bands(int row, int rows, int from, int depth, float[] room, Scratch scratch);
    }

    /** The right matrix, which knows how it is multiplied with. */
    public interface Right {
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
    static int panels(int k) {
        return (k + DEPTH - 1) / DEPTH;
    }

    /** Where a panel begins; panel {@link #panels} begins at k. */
    static int panel(int k, int i) {
        int even = (int) ((long) k * i / panels(k));
        return i == panels(k) ? k : even / 16 * 16;
    }

    public static void run(
            MachineBf16Kernel tile, int m, int n, int k, Left a, Right b, PanelOutput c, Workers workers) {
        int strips = tile.strips(n), wanted = 4 * workers.threads();
        int cuts = Math.max((m + ROWS - 1) / ROWS, Math.min(m / 96, wanted));
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
            Left a,
            Right b,
            PanelOutput c,
            Scratch scratch) {
        int padded = tile.padded(rows), panels = panels(k), strip = tile.strip(), size = padded * strip;
        float[] room = scratch.floats(ScratchSlots.LEFT, padded * Math.min(k, DEPTH + 16));
        MemorySegment sums = MemorySegment.ofArray(
                scratch.floats(ScratchSlots.STRIP_SUMS, (panels == 1 ? 1 : strips) * size + strip));
        for (int i = 0; i < panels; i++) {
            int from = panel(k, i), depth = panel(k, i + 1) - from;
            MemorySegment left = a.bands(row, rows, from, depth, room, scratch);
            for (int s = 0; s < strips; s++) {
                int column = (firstStrip + s) * strip;
                MemorySegment here = sums.asSlice((panels == 1 ? 0 : (long) s * size) * Float.BYTES);
                b.multiply(i > 0, left, rows, column, from, depth, here, scratch);
                if (i == panels - 1) c.store(here, row, rows, column, Math.min(strip, n - column));
            }
        }
    }
}
