package dev.gyre.nn;

import dev.gyre.core.Scratch;
import dev.gyre.core.Workers;

/**
 * C[m, n] = A[m, k] · B[k, n], blocked for the caches and shared among workers. Where A, B and C lie is the caller's: rows of A and
 * panels of B are copied (and widened, gathered or transposed) into {@code float[]} scratch block by block as they are used, so no
 * matrix is ever stored a second time.
 */
final class Gemm {
    /** Columns of a panel of B. Long enough that HotSpot's vector loops run at full speed, short enough for the first cache. */
    static final int WIDTH = 512;

    /** Rows of a panel of B: with {@link #WIDTH} columns half a mebibyte, for the second cache. */
    static final int DEPTH = 256;

    /** Rows of C that a piece takes at most: a panel of B is packed once for all of them. */
    private static final int ROWS = 768;

    private Gemm() {}

    /** The left matrix. */
    interface Rows {
        /** Copies {@code A[row, from … from + count)} to {@code to} at {@code at}. */
        void read(int row, int from, int count, float[] to, int at, Scratch scratch);
    }

    /** The right matrix. */
    interface Panels {
        /** Copies {@code B[from … from + depth, column … column + width)} to the first rows of {@code to}. */
        void read(int from, int depth, int column, int width, float[][] to, Scratch scratch);
    }

    /** The product. */
    interface Out {
        /** What {@code C[row, column … column + width)} starts with: a bias, or zero. */
        void start(int row, int column, int width, float[] to);

        void store(int row, int column, int width, float[] from);
    }

    static void run(int m, int n, int k, Rows a, Panels b, Out c, Workers workers) {
        run(Tile.BEST, m, n, k, a, b, c, workers);
    }

    static void run(Tile tile, int m, int n, int k, Rows a, Panels b, Out c, Workers workers) {
        int columns = (n + WIDTH - 1) / WIDTH;
        // Every cut in m packs its panels of B again: no finer than gives each thread something to do.
        int cuts = Math.max(1, Math.min((workers.threads() * 3 + columns - 1) / columns, m / 64));
        int rows = Math.min(ROWS, tile.padded((m + cuts - 1) / cuts));
        int chunks = (m + rows - 1) / rows;
        workers.run(columns * chunks, (piece, scratch) -> {
            int column = piece / chunks * WIDTH, row = piece % chunks * rows;
            block(tile, row, Math.min(rows, m - row), column, Math.min(WIDTH, n - column), k, a, b, c, scratch);
        });
    }

    private static void block(
            Tile tile, int first, int rows, int column, int width, int k, Rows a, Panels b, Out c, Scratch scratch) {
        int padded = tile.padded(rows);
        float[][] panel = scratch.rows(0, DEPTH, WIDTH);
        float[][] sums = scratch.rows(1, padded, WIDTH);
        float[] left = scratch.floats(4, padded * DEPTH);
        for (int i = 0; i < rows; i++) c.start(first + i, column, width, sums[i]);
        for (int from = 0; from < k; from += DEPTH) {
            int depth = Math.min(DEPTH, k - from);
            b.read(from, depth, column, width, panel, scratch);
            // What the last tile has of rows beyond the end is left over from others and never stored.
            for (int i = 0; i < rows; i++) a.read(first + i, from, depth, left, i * DEPTH, scratch);
            tile.multiplyAll(left, panel, 0, depth, sums, rows, width, scratch);
        }
        for (int i = 0; i < rows; i++) c.store(first + i, column, width, sums[i]);
    }
}
