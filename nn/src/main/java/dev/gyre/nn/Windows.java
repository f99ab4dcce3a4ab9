package dev.gyre.nn;

import dev.gyre.core.JvmMemory;
import dev.gyre.core.Scratch;
import dev.gyre.core.Workers;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * The windows of a convolution as a matrix [in · kernel · kernel, batch · rows · pitch]: the right side of a product whose left side
 * is the weights.
 *
 * <p>Each channel is first laid out with its padding, every {@code stride}-th row and column in a plane of its own. The pixels that
 * one tap meets are then neighbours all over the picture, if a line of outputs is {@code pitch} long: the few outputs beyond a line's
 * end are computed and dropped.
 */
final class Windows implements Gemm.Right {
    private final Conv2d conv;
    private final int kernel;
    private final int stride;
    private final int rows;
    private final int pitch;
    private final int plane; // floats of one phase
    private final float[][] planes; // [batch · in] arrays of [stride, stride, plane]

    /** Lays out the convolution's input. */
    Windows(Conv2d conv, JvmMemory memory, Workers workers) {
        this.conv = conv;
        kernel = conv.weight().dim(2);
        stride = conv.stride();
        rows = conv.y().dim(2);
        int beyond = (kernel - 1) / stride;
        pitch = conv.y().dim(3) + beyond;
        plane = (rows + beyond + 1) * pitch;
        int count = conv.x().dim(0) * conv.x().dim(1);
        planes = memory.scratch().rows(2, count, stride * stride * plane);
        MemorySegment x = memory.at(conv.x()).data();
        workers.run(count, (piece, scratch) -> lay(x, piece, planes[piece], scratch));
    }

    private void lay(MemorySegment x, int channel, float[] to, Scratch scratch) {
        int height = conv.x().dim(2), width = conv.x().dim(3), padding = conv.padding();
        float[] line = scratch.floats(Scratches.LINE, width);
        Arrays.fill(to, 0, stride * stride * plane, 0f);
        for (int row = 0; row < height; row++) {
            int down = row + padding, at = down / stride * pitch;
            if (at + pitch > plane) break; // below the last window
            long place = ((long) channel * height + row) * width;
            MemorySegment.copy(x, ValueLayout.JAVA_FLOAT, place * Float.BYTES, line, 0, width);
            for (int phase = 0; phase < stride; phase++) {
                int first = (phase - padding % stride + stride) % stride; // the first pixel of this phase
                int left = (first + padding) / stride,
                        n = Math.min((width - first + stride - 1) / stride, pitch - left);
                int begin = (down % stride * stride + phase) * plane + at + left;
                if (stride == 1) System.arraycopy(line, first, to, begin, n);
                else for (int i = 0; i < n; i++) to[begin + i] = line[first + i * stride];
            }
        }
    }

    /** Columns of the matrix. */
    int columns() {
        return conv.x().dim(0) * rows * pitch;
    }

    @Override
    public void read(Tile tile, int from, int depth, int column, int count, float[][] to, int lines, Scratch scratch) {
        int in = conv.x().dim(1);
        for (int k = 0; k < depth; k++) {
            int tap = from + k, channel = tap / (kernel * kernel), u = tap / kernel % kernel, v = tap % kernel;
            int begin = (u % stride * stride + v % stride) * plane + u / stride * pitch + v / stride;
            for (int done = 0; done < count; ) {
                int image = (column + done) / (rows * pitch), at = (column + done) % (rows * pitch);
                int n = Math.min(count - done, rows * pitch - at);
                tile.put(planes[image * in + channel], begin + at, n, to, 0, lines, k, done);
                done += n;
            }
        }
    }

    /** Takes the product to its place and drops what lies beyond a line's end. */
    Gemm.Out out(MemorySegment y, float[] bias) {
        int out = conv.y().dim(1), columns = conv.y().dim(3);
        return (row, column, width, from) -> {
            float more = bias[row];
            for (int i = 0; i < width; i++) from[i] += more;
            for (int done = 0; done < width; ) {
                int line = (column + done) / pitch,
                        at = (column + done) % pitch,
                        n = Math.min(width - done, pitch - at);
                int keep = Math.min(n, columns - at);
                long to = (((long) (line / rows) * out + row) * rows + line % rows) * columns + at;
                if (keep > 0) MemorySegment.copy(from, done, y, ValueLayout.JAVA_FLOAT, to * Float.BYTES, keep);
                done += n;
            }
        };
    }
}
