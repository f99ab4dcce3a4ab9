package dev.gyre.nn.cpu;

import dev.gyre.core.Scratch;
import java.lang.foreign.MemorySegment;

/**
 * The micro-kernel of every matrix product, as in BLIS: it multiplies panels of A with a panel of B and writes to, or
 * accumulates into, a panel of C.
 *
 * <p>A panel of A holds {@link #mr()} interleaved rows, {@code a[at + k · mr() + i]}. A panel of B or C holds {@link
 * #nr()} columns; its layout in {@code float[]} arrays is the micro-kernel's own, written by {@link #packRow} and read
 * by {@link #unpackRow}.
 *
 * <p>The sum of an element begins at zero and is one chain of fused multiply-adds in the order of k. That holds for
 * every implementation, wherever blocks and threads begin: results depend neither on the partition of the work nor on
 * the micro-kernel.
 */
public interface MicroKernel {
    /** Rows of a panel of A. */
    int mr();

    /** Columns of a panel of B. */
    int nr();

    /** Arrays that hold a panel of {@code rows} rows. */
    int arrays(int rows);

    /** Floats of each of those arrays. */
    int arrayLength(int rows);

    /**
     * Writes a part of one row of a matrix into panels.
     *
     * @param from the source, {@code width} floats from {@code at} on
     * @param to panels of {@code arrays} arrays each, from array {@code first} on
     * @param column the row's first column, counted from the first panel
     */
    void packRow(float[] from, int at, int width, float[][] to, int first, int arrays, int row, int column);

    /** Reads what {@link #packRow} wrote. */
    void unpackRow(float[][] from, int first, int arrays, int row, int column, float[] to, int at, int width);

    /**
     * Copies {@code count} columns of one panel, {@code rows} elements each, to memory: column i from float {@code at +
     * i · stride} on.
     */
    void storeTransposed(float[][] from, int first, int rows, int count, MemorySegment to, long at, long stride);

    /**
     * Writes a part of {@code depth} rows of a matrix in memory into panels, from the first array on.
     *
     * @param at the first row's first float
     * @param stride floats from one row to the next
     * @param column the rows' first column, counted from the first panel
     */
    default void packRows(
            MemorySegment from,
            long at,
            long stride,
            int depth,
            float[][] to,
            int arrays,
            int column,
            int width,
            Scratch scratch) {
        float[] line = scratch.floats(ScratchSlots.GATHERED, width);
        for (int k = 0; k < depth; k++) {
            Elementwise.read(from, at + k * stride, line, width);
            packRow(line, 0, width, to, 0, arrays, k, column);
        }
    }

    /** Writes {@code depth} rows of one panel from the transposed matrix, packed in panels of {@link #nr()} rows. */
    void packPanel(PackedRows from, int column, int k, int depth, float[][] to, int first, Scratch scratch);

    /**
     * c[row + i][0 … width) = (c, if {@code add}, +) Σ a[at + k · mr() + i] · b[k][0 … width), for all i below {@link
     * #mr()} and k below {@code depth}; likewise for the following panels of A, until {@code rows} rows are done.
     *
     * @param firstB the first array of a panel of B
     * @param firstC the first array of a panel of C with at least {@code row + padded(rows)} rows
     * @param width valid columns of the panel; columns beyond may be computed and are ignored
     */
    void multiply(
            boolean add,
            float[] a,
            int at,
            float[][] b,
            int firstB,
            int depth,
            float[][] c,
            int firstC,
            int row,
            int rows,
            int width,
            Scratch scratch);

    /** c[row][j] ·= factors[at + j] for {@code rows} rows of one panel. */
    void scale(float[][] c, int first, int rows, int width, float[] factors, int at);

    /**
     * One block of an online softmax (Milakov and Gimelshein 2018) down the columns of one panel: scores become
     * exponentials of their difference from the running maximum.
     *
     * @param scores {@code rows} rows of a panel
     * @param largest the running maximum of each column, from {@code at} on; updated
     * @param total the running sum of exponentials; updated
     * @param correction receives the factor by which sums made with the old maximum are rescaled
     */
    void softmax(
            float[][] scores,
            int first,
            int rows,
            int width,
            float[] largest,
            float[] total,
            float[] correction,
            int at,
            Scratch scratch);

    /** {@code n} rounded up to whole panels of A. */
    default int padded(int n) {
        return (n + mr() - 1) / mr() * mr();
    }

    /** The number of panels that {@code n} columns take. */
    default int panels(int n) {
        return (n + nr() - 1) / nr();
    }

    /**
     * Of the micro-kernels that differ from this one in MR alone, the one whose panels cover {@code rows} rows with the
     * least padding.
     */
    default MicroKernel fitting(int rows) {
        return this;
    }
}
