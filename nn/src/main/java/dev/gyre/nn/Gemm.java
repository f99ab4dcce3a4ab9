package dev.gyre.nn;

import dev.gyre.core.Scratch;
import dev.gyre.core.Workers;
import java.util.Arrays;

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

    private Gemm() {}

    /** The left matrix. */
    interface Rows {
        /** Copies {@code A[row, from … from + count)} to the start of {@code to}. */
        void read(int row, int from, int count, float[] to, Scratch scratch);
    }

    /** The right matrix. */
    interface Panels {
        /** Copies {@code B[from … from + depth, column … column + width)} to the first rows of {@code to}. */
        void read(int from, int depth, int column, int width, float[][] to, Scratch scratch);
    }

    /** The product. */
    interface Out {
        /** Copies {@code C[row, column … column + width)}: what was stored last, or at first a bias or zero. */
        void load(boolean first, int row, int column, int width, float[] to);

        void store(int row, int column, int width, float[] from);
    }

    static void run(int m, int n, int k, Rows a, Panels b, Out c, Workers workers) {
        int columns = (n + WIDTH - 1) / WIDTH;
        // Every cut in m packs its panels of B again: no finer than gives each thread something to do.
        int cuts = Math.max(1, Math.min((workers.threads() * 3 + columns - 1) / columns, m / 64));
        int rows = Tile.padded((m + cuts - 1) / cuts);
        int chunks = (m + rows - 1) / rows;
        workers.run(columns * chunks, (piece, scratch) -> {
            int column = piece / chunks * WIDTH, row = piece % chunks * rows;
            block(row, Math.min(m, row + rows), column, Math.min(WIDTH, n - column), k, a, b, c, scratch);
        });
    }

    private static void block(
            int begin, int end, int column, int width, int k, Rows a, Panels b, Out c, Scratch scratch) {
        float[][] panel = scratch.rows(0, DEPTH, WIDTH);
        float[][] left = scratch.rows(1, Tile.SIDE, DEPTH);
        float[][] sums = scratch.rows(2, Tile.SIDE, WIDTH);
        float[] before = scratch.floats(4, WIDTH);
        for (int from = 0; from < k; from += DEPTH) {
            int depth = Math.min(DEPTH, k - from);
            b.read(from, depth, column, width, panel, scratch);
            for (int i = depth; i < Tile.padded(depth); i++) Arrays.fill(panel[i], 0, width, 0f);
            for (int row = begin; row < end; row += Tile.SIDE) {
                int live = Math.min(Tile.SIDE, end - row);
                for (int i = 0; i < Tile.SIDE; i++) {
                    if (i >= live) {
                        Arrays.fill(left[i], 0, Tile.padded(depth), 0f);
                        continue;
                    }
                    a.read(row + i, from, depth, left[i], scratch);
                    Tile.padRow(left[i], depth);
                    Arrays.fill(sums[i], 0, width, 0f);
                }
                Tile.multiply(left, panel, depth, sums[0], sums[1], sums[2], sums[3], width);
                // Each panel is summed by itself: a sum of sums loses fewer digits than one long chain.
                for (int i = 0; i < live; i++) {
                    c.load(from == 0, row + i, column, width, before);
                    add(sums[i], before, width);
                    c.store(row + i, column, width, sums[i]);
                }
            }
        }
    }

    private static void add(float[] a, float[] b, int n) {
        for (int i = 0; i < n; i++) a[i] += b[i];
    }
}
