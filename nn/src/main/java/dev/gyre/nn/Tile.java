package dev.gyre.nn;

import dev.gyre.core.Scratch;

/**
 * The innermost block of every matrix product: some rows of C gain the product of as many rows of A with a panel of B.
 *
 * <p>An element's sum begins at zero and is one chain of fused multiply-adds in the order of k, then added to C. That holds for every
 * implementation, wherever blocks and threads begin: results do not depend on how the work was cut, nor on which tile did it.
 */
interface Tile {
    /** The fastest there is on this JVM and processor. */
    Tile BEST = best();

    /** Rows of C that one call takes. */
    int rows();

    /** Columns of C that one call takes at most; a call with fewer may compute the rest, unseen. */
    int columns();

    /**
     * c[row + i][column … column + width) += Σ a[at + i · {@link Gemm#DEPTH} + k] · b[first + k][column … column + width), for all i
     * below {@link #rows()} and k below {@code depth}.
     *
     * @param depth at most {@link Gemm#DEPTH}
     * @param b rows that reach to {@code column + columns()}
     * @param c likewise
     */
    void multiply(
            float[] a,
            int at,
            float[][] b,
            int first,
            int depth,
            float[][] c,
            int row,
            int column,
            int width,
            Scratch scratch);

    /** {@code n} rounded up to whole calls. */
    default int padded(int n) {
        return (n + rows() - 1) / rows() * rows();
    }

    /** All of c[0 … rows)[0 … width) from {@code rows} rows of A; rows of A and C reach to {@link #padded}. */
    default void multiplyAll(
            float[] a, float[][] b, int first, int depth, float[][] c, int rows, int width, Scratch scratch) {
        // Columns outside: that strip of B stays in the first cache while the rows of A pass by.
        for (int column = 0; column < width; column += columns()) {
            int n = Math.min(columns(), width - column);
            for (int row = 0; row < rows; row += rows())
                multiply(a, row * Gemm.DEPTH, b, first, depth, c, row, column, n, scratch);
        }
    }

    private static Tile best() {
        boolean module = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
        return module && VectorTile.isFast() ? new VectorTile() : new PlainTile();
    }
}
