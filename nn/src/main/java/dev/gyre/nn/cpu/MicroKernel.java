package dev.gyre.nn.cpu;

import dev.gyre.core.Scratch;
import java.lang.foreign.MemorySegment;

/**
 * The innermost block of every matrix product: some rows of C become, or gain, the product of as many rows of A with a strip of B.
 *
 * <p>A comes in bands: {@link #mr()} rows interleaved, {@code a[at + k · rows() + i]}. B and C lie in strips of {@link #nr()}
 * columns; how a strip lies in {@code float[]} lines is the tile's own, {@link #packRow} and {@link #unpackRow} know.
 *
 * <p>An element's sum begins at zero and is one chain of fused multiply-adds in the order of k. That holds for every implementation,
 * wherever blocks and threads begin: results do not depend on how the work was cut, nor on which tile did it.
 */
public interface MicroKernel {
    /** Rows of a band. */
    int mr();

    /** Columns of a strip. */
    int nr();

    /** Arrays that a strip of {@code rows} rows takes. */
    int arrays(int rows);

    /** Floats of each of those arrays. */
    int arrayLength(int rows);

    /**
     * Writes a part of one row of a matrix in strips.
     *
     * @param from where it is read, {@code width} floats from {@code at} on
     * @param to strips, {@code lines} arrays each, from array {@code first} on
     * @param column of the row, counted from the first strip
     */
    void packRow(float[] from, int at, int width, float[][] to, int first, int lines, int row, int column);

    /** Reads what {@link #packRow} wrote. */
    void unpackRow(float[][] from, int first, int lines, int row, int column, float[] to, int at, int width);

    /** Copies {@code count} columns of one strip, {@code rows} numbers each, to memory: column i from float {@code at + i · apart} on. */
    void storeTransposed(float[][] from, int first, int rows, int count, MemorySegment to, long at, long apart);

    /**
     * Writes a part of {@code depth} rows of a matrix in strips, from the first array on, from rows that lie in memory.
     *
     * @param at the first row's first float
     * @param apart floats from one row to the next
     * @param column of the rows, counted from the first strip
     */
    default void packRows(
            MemorySegment from,
            long at,
            long apart,
            int depth,
            float[][] to,
            int lines,
            int column,
            int width,
            Scratch scratch) {
        float[] line = scratch.floats(ScratchSlots.GATHERED, width);
        for (int k = 0; k < depth; k++) {
            Elementwise.read(from, at + k * apart, line, width);
            packRow(line, 0, width, to, 0, lines, k, column);
        }
    }

    /** Writes {@code depth} rows of one strip from bands of the transposed matrix that are as wide as a strip. */
    void packPanel(PackedRows from, int column, int k, int depth, float[][] to, int first, Scratch scratch);

    /**
     * c[row + i][0 … width) = (c, if {@code add}, +) Σ a[at + k · rows() + i] · b[k][0 … width), for all i below {@link #mr()} and
     * k below {@code depth}; so on for the bands that follow, until {@code rows} rows are done.
     *
     * @param b the array where a strip begins
     * @param c likewise, of at least {@code row + padded(rows)} rows
     * @param width what lies beyond it may be computed, unseen
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

    /** c[row][j] ·= factors[at + j] for {@code rows} rows of one strip. */
    void scale(float[][] c, int first, int rows, int width, float[] factors, int at);

    /**
     * One block of a streaming softmax down the columns of one strip: scores become exponentials of their difference from the largest.
     *
     * @param scores {@code rows} rows of a strip
     * @param largest of each column so far, from {@code at} on; follows
     * @param total of the exponentials so far; follows
     * @param correction gets what sums made with the old largest are to be multiplied with
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

    /** {@code n} rounded up to whole bands. */
    default int padded(int n) {
        return (n + mr() - 1) / mr() * mr();
    }

    /** {@code n} columns in strips. */
    default int panels(int n) {
        return (n + nr() - 1) / nr();
    }

    /** Of the tiles that differ from this one in their bands only, the one whose bands cover so many rows with the least waste. */
    default MicroKernel fitting(int rows) {
        return this;
    }
}
