package dev.gyre.nn.cpu;

import dev.gyre.core.Scratch;
import dev.gyre.core.Workers;
import java.lang.foreign.MemorySegment;

/**
 * C[m, n] = A[m, k] · B[k, n], blocked for the caches and shared among workers. Where A, B and C lie is the caller's: bands of A and
 * strips of B are copied (and widened, gathered or transposed) into {@code float[]} scratch block by block as they are used.
 */
public final class Gemm {
    /** Rows of B that are taken at a time at most: a strip of them stays in the first cache. Sums begin anew after so many. */
    static final int KC = 320;

    /** Rows of a piece of C at most, a multiple of every tile's: what was packed of B serves them all. */
    private static final int MC = 384;

    /** Columns of a piece at most: what was packed of A serves them all. */
    private static final int NC = 1024;

    /** Floats of C that are kept in the second cache, where no sum goes on after that. */
    private static final int C_FLOATS = 1 << 16;

    private Gemm() {}

    /** The right matrix. */
    public interface RightOperand {
        /**
         * Copies {@code B[from … from + depth, column … column + width)} to strips.
         *
         * @param column a multiple of the tile's strip
         * @param lines arrays of one strip
         */
        void pack(
                MicroKernel tile, int from, int depth, int column, int width, float[][] to, int lines, Scratch scratch);

        /** A matrix whose columns come in bands as wide as the tile's strips. */
        static RightOperand of(PackedRows columns) {
            return (tile, from, depth, column, width, to, lines, scratch) -> {
                for (int strip = 0; strip < tile.panels(width); strip++)
                    tile.packPanel(columns, column + strip * tile.nr(), from, depth, to, strip * lines, scratch);
            };
        }
    }

    /** The product. */
    @FunctionalInterface
    public interface Output {
        /** Takes {@code C[row, column … column + width)}, which it may change, to where it belongs. */
        void store(int row, int column, int width, float[] from);
    }

    public static void run(MicroKernel tile, int m, int n, int k, PackedRows a, RightOperand b, Output c, Workers workers) {
        Partition cut = Partition.of(tile, m, n, workers.threads());
        workers.run(cut.rowPieces * cut.columnPieces, (piece, scratch) -> {
            int row = cut.row(tile, m, piece / cut.columnPieces), column = cut.column(tile, n, piece % cut.columnPieces);
            int rows = cut.row(tile, m, piece / cut.columnPieces + 1) - row;
            int width = cut.column(tile, n, piece % cut.columnPieces + 1) - column;
            new Block(tile, row, rows, column, width, k, scratch).run(a, b, c);
        });
    }

    /**
     * How C is cut into pieces, in whole bands and strips.
     *
     * @param rowPieces pieces from top to bottom: each packs its columns of B anew
     * @param columnPieces pieces from left to right: each packs its rows of A anew
     */
    private record Partition(int rowPieces, int columnPieces) {
        /** The cut that is done first. Costs are per number of depth, in cycles of some processor; only their ratios count. */
        static Partition of(MicroKernel tile, int m, int n, int threads) {
            int bands = (m + tile.mr() - 1) / tile.mr(), strips = tile.panels(n);
            int least = (m + MC - 1) / MC, narrow = (n + NC - 1) / NC, most = least * narrow + 4 * threads;
            Partition best = null;
            double soonest = Double.POSITIVE_INFINITY;
            for (int down = least; down <= Math.min(bands, most); down++)
                for (int across = narrow; across <= strips && down * across <= most; across++) {
                    int rows = (bands + down - 1) / down * tile.mr();
                    int width = (strips + across - 1) / across * tile.nr();
                    double piece = rows * (double) width / 16 + rows * 1.0 + width * 0.5 + 50;
                    double end = (down * across + threads - 1) / threads * piece;
                    if (end < soonest) {
                        soonest = end;
                        best = new Partition(down, across);
                    }
                }
            return best == null ? new Partition(Math.min(least, bands), Math.min(narrow, strips)) : best;
        }

        /** The first row of a piece. */
        int row(MicroKernel tile, int m, int piece) {
            int bands = (m + tile.mr() - 1) / tile.mr();
            return Math.min(m, bands * piece / rowPieces * tile.mr());
        }

        /** The first column of a piece. */
        int column(MicroKernel tile, int n, int piece) {
            return Math.min(n, tile.panels(n) * piece / columnPieces * tile.nr());
        }
    }

    /** A piece of C. */
    private record Block(MicroKernel tile, int first, int rows, int column, int width, int k, Scratch scratch) {
        void run(PackedRows a, RightOperand b, Output c) {
            int panels = (k + KC - 1) / KC, strips = tile.panels(width);
            // A sum in one panel is stored at once. Others stay until the last panel was added.
            int some = panels > 1 ? strips : Math.clamp(C_FLOATS / (tile.padded(rows) * tile.nr()), 1, strips);
            for (int strip = 0; strip < strips; strip += some) {
                int begin = strip * tile.nr(), wide = Math.min(some * tile.nr(), width - begin);
                for (int i = 0; i < panels; i++) {
                    int from = (int) ((long) k * i / panels), depth = (int) ((long) k * (i + 1) / panels) - from;
                    if (panels > 1 || strip == 0) left(a, from, depth);
                    multiply(from, depth, b, column + begin, wide);
                }
                store(c, column + begin, wide);
            }
        }

        private float[] left() {
            return scratch.floats(ScratchSlots.A_PANELS, tile.padded(rows) * KC);
        }

        /** What the last band has of rows beyond the end is left over from others and never stored. */
        private void left(PackedRows a, int from, int depth) {
            float[] left = left();
            for (int row = 0; row < rows; row += tile.mr())
                a.pack(first + row, from, depth, left, row * depth, scratch);
        }

        private float[][] sums(int wide) {
            int arrays = tile.panels(wide) * tile.arrays(tile.padded(rows));
            return scratch.rows(ScratchSlots.C_PANELS, arrays, tile.arrayLength(MC));
        }

        private void multiply(int from, int depth, RightOperand b, int column, int wide) {
            int lines = tile.arrays(KC), perC = tile.arrays(tile.padded(rows));
            int some = tile instanceof MachinePackedMicroKernel ? 1 : tile.panels(wide);
            float[][] panel = scratch.rows(ScratchSlots.B_PANELS, some * lines, tile.arrayLength(KC));
            float[][] sums = sums(wide);
            float[] left = left();
            // Strips outside: each stays in the first cache while the bands of A pass by.
            for (int strip = 0; strip * tile.nr() < wide; strip++) {
                int begin = strip * tile.nr(), n = Math.min(tile.nr(), wide - begin);
                if (strip % some == 0)
                    b.pack(
                            tile,
                            from,
                            depth,
                            column + begin,
                            Math.min(some * tile.nr(), wide - begin),
                            panel,
                            lines,
                            scratch);
                int at = strip % some * lines;
                tile.multiply(from > 0, left, 0, panel, at, depth, sums, strip * perC, 0, rows, n, scratch);
            }
        }

        private void store(Output c, int column, int wide) {
            int lines = tile.arrays(tile.padded(rows));
            float[][] sums = sums(wide);
            if (tile instanceof MachinePackedMicroKernel && c instanceof PanelOutput strips) {
                for (int i = 0, begin = 0; begin < wide; i++, begin += tile.nr()) {
                    int n = Math.min(tile.nr(), wide - begin);
                    strips.store(MemorySegment.ofArray(sums[i]), first, rows, column + begin, n);
                }
                return;
            }
            float[] line = scratch.floats(ScratchSlots.LINE, wide);
            for (int i = 0; i < rows; i++) {
                tile.unpackRow(sums, 0, lines, i, 0, line, 0, wide);
                c.store(first + i, column, wide, line);
            }
        }
    }
}
