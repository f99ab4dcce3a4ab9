package dev.gyre.nn;

import dev.gyre.core.Scratch;
import dev.gyre.core.Workers;

/**
 * C[m, n] = A[m, k] · B[k, n], blocked for the caches and shared among workers. Where A, B and C lie is the caller's: bands of A and
 * strips of B are copied (and widened, gathered or transposed) into {@code float[]} scratch block by block as they are used.
 */
final class Gemm {
    /** Rows of B that are taken at a time at most: a strip of them stays in the first cache. Sums begin anew after so many. */
    static final int DEPTH = 384;

    /**
     * How large a piece of C is taken at a time.
     *
     * @param rows at most: what was packed of B serves them all
     * @param width columns at most: what was packed of A serves them all
     */
    record Cut(int rows, int width) {
        /** Where A is what costs more to pack, B having been packed once for all. */
        static final Cut WIDE = new Cut(192, 1024);

        /** Where B costs more. */
        static final Cut TALL = new Cut(384, 1024);
    }

    private Gemm() {}

    /** The right matrix. */
    interface Right {
        /**
         * Copies {@code B[from … from + depth, column … column + width)} to strips.
         *
         * @param column a multiple of the tile's strip
         * @param lines arrays of one strip
         */
        void read(Tile tile, int from, int depth, int column, int width, float[][] to, int lines, Scratch scratch);

        /** A matrix whose columns come in bands as wide as the tile's strips. */
        static Right of(Bands columns) {
            return (tile, from, depth, column, width, to, lines, scratch) -> {
                for (int strip = 0; strip < tile.strips(width); strip++)
                    tile.fill(columns, column + strip * tile.strip(), from, depth, to, strip * lines, scratch);
            };
        }
    }

    /** The product. */
    @FunctionalInterface
    interface Out {
        /** Takes {@code C[row, column … column + width)}, which it may change, to where it belongs. */
        void store(int row, int column, int width, float[] from);
    }

    static void run(Cut cut, Tile tile, int m, int n, int k, Bands a, Right b, Out c, Workers workers) {
        // Equal widths, in whole strips; then as few cuts in m as give each thread something to do: each packs its part
        // of B again.
        int columns = (n + cut.width - 1) / cut.width;
        int width = tile.strips((n + columns - 1) / columns) * tile.strip();
        int wanted = (workers.threads() * 4 + columns - 1) / columns;
        int cuts = Math.max((m + cut.rows - 1) / cut.rows, Math.min(wanted, m / 48));
        int rows = tile.padded((m + Math.max(1, cuts) - 1) / Math.max(1, cuts));
        int chunks = (m + rows - 1) / rows, blocks = (n + width - 1) / width;
        workers.run(blocks * chunks, (piece, scratch) -> {
            int column = piece / chunks * width, row = piece % chunks * rows;
            block(tile, row, Math.min(rows, m - row), column, Math.min(width, n - column), k, a, b, c, scratch);
        });
    }

    private static void block(
            Tile tile, int first, int rows, int column, int width, int k, Bands a, Right b, Out c, Scratch scratch) {
        int padded = tile.padded(rows), linesB = tile.lines(DEPTH), linesC = tile.lines(padded);
        int strips = tile.strips(width);
        float[][] panel = scratch.rows(Scratches.PANEL, strips * linesB, tile.lineLength(DEPTH));
        float[][] sums = scratch.rows(Scratches.RESULT, strips * linesC, tile.lineLength(tile.padded(Cut.TALL.rows)));
        float[] left = scratch.floats(Scratches.LEFT, padded * DEPTH), line = scratch.floats(Scratches.LINE, width);
        int panels = (k + DEPTH - 1) / DEPTH;
        for (int i = 0; i < panels; i++) {
            int from = (int) ((long) k * i / panels), depth = (int) ((long) k * (i + 1) / panels) - from;
            b.read(tile, from, depth, column, width, panel, linesB, scratch);
            // What the last band has of rows beyond the end is left over from others and never stored.
            for (int row = 0; row < rows; row += tile.rows())
                a.read(first + row, from, depth, left, row * depth, scratch);
            // Strips outside: each stays in the first cache while the bands of A pass by.
            for (int strip = 0; strip < strips; strip++) {
                int n = Math.min(tile.strip(), width - strip * tile.strip());
                for (int row = 0; row < rows; row += tile.rows())
                    tile.multiply(
                            from > 0,
                            left,
                            row * depth,
                            panel,
                            strip * linesB,
                            depth,
                            sums,
                            strip * linesC,
                            row,
                            n,
                            scratch);
            }
        }
        for (int i = 0; i < rows; i++) {
            tile.get(sums, 0, linesC, i, 0, line, 0, width);
            c.store(first + i, column, width, line);
        }
    }
}
