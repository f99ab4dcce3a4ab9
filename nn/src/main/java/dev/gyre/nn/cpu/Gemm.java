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
    static final int DEPTH = 320;

    /** Rows of a piece of C at most, a multiple of every tile's: what was packed of B serves them all. */
    private static final int ROWS = 384;

    /** Columns of a piece at most: what was packed of A serves them all. */
    private static final int WIDTH = 1024;

    /** Floats of C that are kept in the second cache, where no sum goes on after that. */
    private static final int ROOM = 1 << 16;

    private Gemm() {}

    /** The right matrix. */
    public interface Right {
        /**
         * Copies {@code B[from … from + depth, column … column + width)} to strips.
         *
         * @param column a multiple of the tile's strip
         * @param lines arrays of one strip
         */
        void read(
                MicroKernel tile, int from, int depth, int column, int width, float[][] to, int lines, Scratch scratch);

        /** A matrix whose columns come in bands as wide as the tile's strips. */
        static Right of(PackedRows columns) {
            return (tile, from, depth, column, width, to, lines, scratch) -> {
                for (int strip = 0; strip < tile.strips(width); strip++)
                    tile.fill(columns, column + strip * tile.strip(), from, depth, to, strip * lines, scratch);
            };
        }
    }

    /** The product. */
    @FunctionalInterface
    public interface Out {
        /** Takes {@code C[row, column … column + width)}, which it may change, to where it belongs. */
        void store(int row, int column, int width, float[] from);
    }

    public static void run(MicroKernel tile, int m, int n, int k, PackedRows a, Right b, Out c, Workers workers) {
        Cut cut = Cut.of(tile, m, n, workers.threads());
        workers.run(cut.down * cut.across, (piece, scratch) -> {
            int row = cut.row(tile, m, piece / cut.across), column = cut.column(tile, n, piece % cut.across);
            int rows = cut.row(tile, m, piece / cut.across + 1) - row;
            int width = cut.column(tile, n, piece % cut.across + 1) - column;
            new Block(tile, row, rows, column, width, k, scratch).run(a, b, c);
        });
    }

    /**
     * How C is cut into pieces, in whole bands and strips.
     *
     * @param down pieces from top to bottom: each packs its columns of B anew
     * @param across pieces from left to right: each packs its rows of A anew
     */
    private record Cut(int down, int across) {
        /** The cut that is done first. Costs are per number of depth, in cycles of some processor; only their ratios count. */
        static Cut of(MicroKernel tile, int m, int n, int threads) {
            int bands = (m + tile.rows() - 1) / tile.rows(), strips = tile.strips(n);
            int least = (m + ROWS - 1) / ROWS, narrow = (n + WIDTH - 1) / WIDTH, most = least * narrow + 4 * threads;
            Cut best = null;
            double soonest = Double.POSITIVE_INFINITY;
            for (int down = least; down <= Math.min(bands, most); down++)
                for (int across = narrow; across <= strips && down * across <= most; across++) {
                    int rows = (bands + down - 1) / down * tile.rows();
                    int width = (strips + across - 1) / across * tile.strip();
                    double piece = rows * (double) width / 16 + rows * 1.0 + width * 0.5 + 50;
                    double end = (down * across + threads - 1) / threads * piece;
                    if (end < soonest) {
                        soonest = end;
                        best = new Cut(down, across);
                    }
                }
            return best == null ? new Cut(Math.min(least, bands), Math.min(narrow, strips)) : best;
        }

        /** The first row of a piece. */
        int row(MicroKernel tile, int m, int piece) {
            int bands = (m + tile.rows() - 1) / tile.rows();
            return Math.min(m, bands * piece / down * tile.rows());
        }

        /** The first column of a piece. */
        int column(MicroKernel tile, int n, int piece) {
            return Math.min(n, tile.strips(n) * piece / across * tile.strip());
        }
    }

    /** A piece of C. */
    private record Block(MicroKernel tile, int first, int rows, int column, int width, int k, Scratch scratch) {
        void run(PackedRows a, Right b, Out c) {
            int panels = (k + DEPTH - 1) / DEPTH, strips = tile.strips(width);
            // A sum in one panel is stored at once. Others stay until the last panel was added.
            int some = panels > 1 ? strips : Math.clamp(ROOM / (tile.padded(rows) * tile.strip()), 1, strips);
            for (int strip = 0; strip < strips; strip += some) {
                int begin = strip * tile.strip(), wide = Math.min(some * tile.strip(), width - begin);
                for (int i = 0; i < panels; i++) {
                    int from = (int) ((long) k * i / panels), depth = (int) ((long) k * (i + 1) / panels) - from;
                    if (panels > 1 || strip == 0) left(a, from, depth);
                    multiply(from, depth, b, column + begin, wide);
                }
                store(c, column + begin, wide);
            }
        }

        private float[] left() {
            return scratch.floats(ScratchSlots.LEFT, tile.padded(rows) * DEPTH);
        }

        /** What the last band has of rows beyond the end is left over from others and never stored. */
        private void left(PackedRows a, int from, int depth) {
            float[] left = left();
            for (int row = 0; row < rows; row += tile.rows())
                a.read(first + row, from, depth, left, row * depth, scratch);
        }

        private float[][] sums(int wide) {
            int arrays = tile.strips(wide) * tile.lines(tile.padded(rows));
            return scratch.rows(ScratchSlots.RESULT, arrays, tile.lineLength(ROWS));
        }

        private void multiply(int from, int depth, Right b, int column, int wide) {
            int lines = tile.lines(DEPTH), perC = tile.lines(tile.padded(rows));
            int some = tile instanceof MachinePackedMicroKernel ? 1 : tile.strips(wide);
            float[][] panel = scratch.rows(ScratchSlots.PANEL, some * lines, tile.lineLength(DEPTH));
            float[][] sums = sums(wide);
            float[] left = left();
            // Strips outside: each stays in the first cache while the bands of A pass by.
            for (int strip = 0; strip * tile.strip() < wide; strip++) {
                int begin = strip * tile.strip(), n = Math.min(tile.strip(), wide - begin);
                if (strip % some == 0)
                    b.read(
                            tile,
                            from,
                            depth,
                            column + begin,
                            Math.min(some * tile.strip(), wide - begin),
                            panel,
                            lines,
                            scratch);
                int at = strip % some * lines;
                tile.multiply(from > 0, left, 0, panel, at, depth, sums, strip * perC, 0, rows, n, scratch);
            }
        }

        private void store(Out c, int column, int wide) {
            int lines = tile.lines(tile.padded(rows));
            float[][] sums = sums(wide);
            if (tile instanceof MachinePackedMicroKernel && c instanceof PanelOutput strips) {
                for (int i = 0, begin = 0; begin < wide; i++, begin += tile.strip()) {
                    int n = Math.min(tile.strip(), wide - begin);
                    strips.store(MemorySegment.ofArray(sums[i]), first, rows, column + begin, n);
                }
                return;
            }
            float[] line = scratch.floats(ScratchSlots.LINE, wide);
            for (int i = 0; i < rows; i++) {
                tile.get(sums, 0, lines, i, 0, line, 0, wide);
                c.store(first + i, column, wide, line);
            }
        }
    }
}
