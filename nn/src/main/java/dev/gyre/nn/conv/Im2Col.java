package dev.gyre.nn.conv;

import dev.gyre.core.JvmMemory;
import dev.gyre.core.Scratch;
import dev.gyre.core.Workers;
import dev.gyre.nn.cpu.Gemm;
import dev.gyre.nn.cpu.MachineKernels;
import dev.gyre.nn.cpu.MachinePackedMicroKernel;
import dev.gyre.nn.cpu.MicroKernel;
import dev.gyre.nn.cpu.ScratchSlots;
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
final class Im2Col implements Gemm.Right {
    private final Conv2d conv;
    private final int kernel;
    private final int stride;
    private final int rows;
    private final int pitch;
    private final int plane; // floats of one phase
    private final int wide; // columns of a picture
    private final long[] table; // for each tap, at how many bytes in a channel's planes the first output meets it
    private final float[][] planes; // [batch · in] arrays of [stride, stride, plane]

    /** Lays out the convolution's input for a tile. */
    Im2Col(Conv2d conv, MicroKernel tile, JvmMemory memory, Workers workers) {
        this.conv = conv;
        kernel = conv.weight().dim(2);
        stride = conv.stride();
        rows = conv.y().dim(2);
        int beyond = (kernel - 1) / stride;
        pitch = conv.y().dim(3) + beyond;
        plane = (rows + beyond + 1) * pitch;
        // In machine code a strip belongs to one picture; what it reads beyond is never stored.
        boolean whole = tile instanceof MachinePackedMicroKernel;
        wide = whole ? tile.strips(rows * pitch) * tile.strip() : rows * pitch;
        table = new long[kernel * kernel];
        for (int tap = 0; tap < table.length; tap++)
            table[tap] = (long) met(tap, kernel, stride, plane, pitch) * Float.BYTES;
        int count = conv.x().dim(0) * conv.x().dim(1);
        planes = memory.scratch().rows(2, count, stride * stride * plane + tile.strip());
        MemorySegment x = memory.at(conv.x()).data();
        workers.run(count, (piece, scratch) -> lay(x, piece, planes[piece], scratch));
    }

    /** Where in a channel's planes, [stride, stride, plane] with lines {@code pitch} long, the first output meets a tap. */
    static int met(int tap, int kernel, int stride, int plane, int pitch) {
        int u = tap / kernel, v = tap % kernel, phase = u % stride * stride + v % stride;
        return phase * plane + u / stride * pitch + v / stride;
    }

    private void lay(MemorySegment x, int channel, float[] to, Scratch scratch) {
        int height = conv.x().dim(2), width = conv.x().dim(3), padding = conv.padding();
        float[] line = scratch.floats(ScratchSlots.LINE, width);
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
        return conv.x().dim(0) * wide;
    }

    @Override
    public void read(
            MicroKernel tile, int from, int depth, int column, int count, float[][] to, int lines, Scratch scratch) {
        int in = conv.x().dim(1);
        for (int taps, k = 0; k < depth; k += taps) {
            int channel = (from + k) / table.length, tap = (from + k) % table.length;
            taps = Math.min(table.length - tap, depth - k);
            for (int n, done = 0; done < count; done += n) {
                int image = (column + done) / wide, at = (column + done) % wide;
                float[] plane = planes[image * in + channel];
                if (tile instanceof MachinePackedMicroKernel) {
                    n = tile.strip();
                    gather(plane, at, tap, taps, MachineKernels.at(to[done / n * lines], k * n));
                    continue;
                }
                n = Math.min(count - done, wide - at);
                for (int i = 0; i < taps; i++)
                    tile.put(plane, at + (int) (table[tap + i] / Float.BYTES), n, to, 0, lines, k + i, done);
            }
        }
    }

    private void gather(float[] plane, int at, int tap, int taps, MemorySegment to) {
        MemorySegment places = MemorySegment.ofArray(table).asSlice((long) tap * Long.BYTES);
        try {
            MachineKernels.Gathered.GATHER.invokeExact(MachineKernels.at(plane, at), to, (long) taps, places);
        } catch (Throwable e) {
            throw MachineKernels.unexpected(e);
        }
    }

    /** Takes the product to its place. */
    PaddedRowsOutput out(MemorySegment y, float[] bias) {
        int columns = conv.y().dim(3);
        return new PaddedRowsOutput(y, conv.y().dim(1), rows * columns, 0, 0, rows, columns, pitch, wide, bias);
    }
}
