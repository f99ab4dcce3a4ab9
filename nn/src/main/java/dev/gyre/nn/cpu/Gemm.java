package dev.gyre.nn.cpu;

import dev.gyre.core.Scratch;
import dev.gyre.core.Workers;
import java.lang.foreign.MemorySegment;

/**
 * C[m, n] = A[m, k] · B[k, n], blocked for the caches as in BLIS (Van Zee and van de Geijn 2015) and shared among
 * workers. A is packed into panels of MR rows and B into panels of NR columns, block by block, in {@code float[]}
 * scratch; the caller's {@link PackedRows} and {@link RightOperand} widen, gather or transpose the elements as they
 * pack.
 */
public final class Gemm {
    /** Depth of a block: a panel of B with KC rows stays in the L1 cache. Sums restart after KC products. */
    static final int KC = 320;

    /** Rows of a piece of C at most, a multiple of every micro-kernel's MR: a packed block of B serves all of them. */
    private static final int MC = 384;

    /** Columns of a piece of C at most: a packed block of A serves all of them. */
    private static final int NC = 1024;

    /** Floats of C that stay in the L2 cache when the product has only one block along K. */
    private static final int C_FLOATS = 1 << 16;

    private Gemm() {}

    /** The right operand, B. */
    public interface RightOperand {
        /**
         * Packs {@code B[from … from + depth, column … column + width)} into panels of NR columns.
         *
         * @param column a multiple of NR
         * @param arrays arrays of one panel
         */
        void pack(
                MicroKernel micro,
                int from,
                int depth,
                int column,
                int width,
                float[][] to,
                int arrays,
                Scratch scratch);

        /** An operand whose columns are packed in panels of NR already. */
        static RightOperand of(PackedRows columns) {
            return (micro, from, depth, column, width, to, arrays, scratch) -> {
                for (int panel = 0; panel < micro.panels(width); panel++)
                    micro.packPanel(columns, column + panel * micro.nr(), from, depth, to, panel * arrays, scratch);
            };
        }
    }

    /** The destination of C. */
    @FunctionalInterface
    public interface Output {
        /** Stores {@code C[row, column … column + width)}. {@code from} may be overwritten. */
        void store(int row, int column, int width, float[] from);
    }

    /**
     * Computes the product.
     *
     * @param a packs A into panels of MR rows
     */
    public static void run(
            MicroKernel micro, int m, int n, int k, PackedRows a, RightOperand b, Output c, Workers workers) {
        Partition partition = Partition.of(micro, m, n, workers.threads());
        workers.run(partition.rowPieces * partition.columnPieces, (piece, scratch) -> {
            int row = partition.row(micro, m, piece / partition.columnPieces),
                    column = partition.column(micro, n, piece % partition.columnPieces);
            int rows = partition.row(micro, m, piece / partition.columnPieces + 1) - row;
            int width = partition.column(micro, n, piece % partition.columnPieces + 1) - column;
            new Block(micro, row, rows, column, width, k, scratch).run(a, b, c);
        });
    }

    /**
     * How C is divided into pieces of whole panels.
     *
     * @param rowPieces pieces from top to bottom: each packs its columns of B anew
     * @param columnPieces pieces from left to right: each packs its rows of A anew
     */
    private record Partition(int rowPieces, int columnPieces) {
        /**
         * The partition that should finish first. Costs are cycles per unit of depth, measured on one processor; only
         * their ratios matter.
         */
        static Partition of(MicroKernel micro, int m, int n, int threads) {
            int aPanels = (m + micro.mr() - 1) / micro.mr(), bPanels = micro.panels(n);
            int minRows = (m + MC - 1) / MC,
                    minColumns = (n + NC - 1) / NC,
                    maxPieces = minRows * minColumns + 4 * threads;
            Partition best = null;
            double soonest = Double.POSITIVE_INFINITY;
            for (int rowPieces = minRows; rowPieces <= Math.min(aPanels, maxPieces); rowPieces++)
                for (int columnPieces = minColumns;
                        columnPieces <= bPanels && rowPieces * columnPieces <= maxPieces;
                        columnPieces++) {
                    int rows = (aPanels + rowPieces - 1) / rowPieces * micro.mr();
                    int width = (bPanels + columnPieces - 1) / columnPieces * micro.nr();
                    double piece = rows * (double) width / 16 + rows * 1.0 + width * 0.5 + 50;
                    double time = (rowPieces * columnPieces + threads - 1) / threads * piece;
                    if (time < soonest) {
                        soonest = time;
                        best = new Partition(rowPieces, columnPieces);
                    }
                }
            return best == null ? new Partition(Math.min(minRows, aPanels), Math.min(minColumns, bPanels)) : best;
        }

        /** The first row of a piece. */
        int row(MicroKernel micro, int m, int piece) {
            int panels = (m + micro.mr() - 1) / micro.mr();
            return Math.min(m, panels * piece / rowPieces * micro.mr());
        }

        /** The first column of a piece. */
        int column(MicroKernel micro, int n, int piece) {
            return Math.min(n, micro.panels(n) * piece / columnPieces * micro.nr());
        }
    }

    /** A piece of C. */
    private record Block(MicroKernel micro, int first, int rows, int column, int width, int k, Scratch scratch) {
        void run(PackedRows a, RightOperand b, Output c) {
            int kBlocks = (k + KC - 1) / KC, panels = micro.panels(width);
            // With one block along K, sums are stored at once; otherwise they are kept until the last block is added.
            int step = kBlocks > 1 ? panels : Math.clamp(C_FLOATS / (micro.padded(rows) * micro.nr()), 1, panels);
            for (int panel = 0; panel < panels; panel += step) {
                int begin = panel * micro.nr(), n = Math.min(step * micro.nr(), width - begin);
                for (int i = 0; i < kBlocks; i++) {
                    int from = (int) ((long) k * i / kBlocks), depth = (int) ((long) k * (i + 1) / kBlocks) - from;
                    if (kBlocks > 1 || panel == 0) packA(a, from, depth);
                    multiply(from, depth, b, column + begin, n);
                }
                store(c, column + begin, n);
            }
        }

        private float[] packedA() {
            return scratch.floats(ScratchSlots.A_PANELS, micro.padded(rows) * KC);
        }

        /** Rows of the last panel beyond the end keep stale data; their products are never stored. */
        private void packA(PackedRows a, int from, int depth) {
            float[] panels = packedA();
            for (int row = 0; row < rows; row += micro.mr())
                a.pack(first + row, from, depth, panels, row * depth, scratch);
        }

        private float[][] sums(int width) {
            int arrays = micro.panels(width) * micro.arrays(micro.padded(rows));
            return scratch.rows(ScratchSlots.C_PANELS, arrays, micro.arrayLength(MC));
        }

        private void multiply(int from, int depth, RightOperand b, int column, int width) {
            int arraysB = micro.arrays(KC), arraysC = micro.arrays(micro.padded(rows));
            int step = micro instanceof MachinePackedMicroKernel ? 1 : micro.panels(width); // panels packed at a time
            float[][] packedB = scratch.rows(ScratchSlots.B_PANELS, step * arraysB, micro.arrayLength(KC));
            float[][] sums = sums(width);
            float[] packedA = packedA();
            // Panels of B in the outer loop: each stays in the L1 cache while the panels of A stream past.
            for (int panel = 0; panel * micro.nr() < width; panel++) {
                int begin = panel * micro.nr(), n = Math.min(micro.nr(), width - begin);
                if (panel % step == 0) {
                    int count = Math.min(step * micro.nr(), width - begin);
                    b.pack(micro, from, depth, column + begin, count, packedB, arraysB, scratch);
                }
                int firstB = panel % step * arraysB, firstC = panel * arraysC;
                micro.multiply(from > 0, packedA, 0, packedB, firstB, depth, sums, firstC, 0, rows, n, scratch);
            }
        }

        private void store(Output c, int column, int width) {
            int arrays = micro.arrays(micro.padded(rows));
            float[][] sums = sums(width);
            if (micro instanceof MachinePackedMicroKernel && c instanceof PanelOutput panels) {
                for (int i = 0, begin = 0; begin < width; i++, begin += micro.nr()) {
                    int n = Math.min(micro.nr(), width - begin);
                    panels.store(MemorySegment.ofArray(sums[i]), first, rows, column + begin, n);
                }
                return;
            }
            float[] line = scratch.floats(ScratchSlots.LINE, width);
            for (int i = 0; i < rows; i++) {
                micro.unpackRow(sums, 0, arrays, i, 0, line, 0, width);
                c.store(first + i, column, width, line);
            }
        }
    }
}
