package dev.gyre.nn;

import dev.gyre.core.Scratch;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * The windows of a convolution as a matrix [in · kernel · kernel, batch · rows · columns], gathered as it is read.
 *
 * @param x [batch, in, height, width]
 * @param rows height of the output
 * @param columns width of the output
 */
record Windows(
        MemorySegment x, int in, int height, int width, int rows, int columns, int kernel, int stride, int padding)
        implements Gemm.Right {

    @Override
    public void read(Tile tile, int from, int depth, int column, int count, float[][] to, int lines, Scratch scratch) {
        float[] gathered = scratch.floats(Scratches.GATHERED, count);
        float[] line = scratch.floats(Scratches.LINE, columns * stride);
        for (int k = 0; k < depth; k++) {
            int tap = from + k, channel = tap / (kernel * kernel);
            int down = tap / kernel % kernel - padding, right = tap % kernel - padding;
            for (int done = 0; done < count; ) {
                int pixel = column + done, at = pixel % columns;
                int n = Math.min(count - done, columns - at);
                int row = pixel / columns % rows * stride + down;
                if (row < 0 || row >= height) Arrays.fill(gathered, done, done + n, 0f);
                else {
                    long plane = (long) (pixel / (columns * rows)) * in + channel;
                    long start = (plane * height + row) * width;
                    if (stride == 1) copy(start, at + right, gathered, done, n);
                    else {
                        copy(start, at * stride + right, line, 0, (n - 1) * stride + 1);
                        for (int i = 0; i < n; i++) gathered[done + i] = line[i * stride];
                    }
                }
                done += n;
            }
            tile.put(gathered, 0, count, to, 0, lines, k, 0);
        }
    }

    /** {@code n} elements of a row of x from {@code first} on; what lies outside is zero. */
    private void copy(long start, int first, float[] to, int at, int n) {
        int before = Math.clamp(-(long) first, 0, n);
        int live = Math.clamp((long) width - first, before, n) - before;
        Arrays.fill(to, at, at + before, 0f);
        if (live > 0)
            MemorySegment.copy(
                    x, ValueLayout.JAVA_FLOAT, (start + first + before) * Float.BYTES, to, at + before, live);
        Arrays.fill(to, at + before + live, at + n, 0f);
    }
}
