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
final class Im2Col implements Gemm.RightOperand {
    private final Conv2d conv;
    private final int kernel;
    private final int stride;
    private final int rows;
    private final int pitch;
    private final int plane; // floats of one phase
    private final int imageColumns; // columns of a picture
    private final long[] tapOffsets; // for each tap, at how many bytes in a channel's planes the first output meets it
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
        imageColumns = whole ? tile.panels(rows * pitch) * tile.nr() : rows * pitch;
        tapOffsets = new long[kernel * kernel];
        for (int tap = 0; tap < tapOffsets.length; tap++)
            tapOffsets[tap] = (long) tapOffset(tap, kernel, stride, plane, pitch) * Float.BYTES;
        int count = conv.x().dim(0) * conv.x().dim(1);
        planes = memory.scratch().rows(2, count, stride * stride * plane + tile.nr());
        MemorySegment x = memory.at(conv.x()).data();
        workers.run(count, (piece, scratch) -> layOut(x, piece, planes[piece], scratch));
    }

    /** Where in a channel's planes, [stride, stride, plane] with lines {@code pitch} long, the first output meets a tap. */
    static int tapOffset(int tap, int kernel, int stride, int plane, int pitch) {
        int u = tap / kernel, v = tap % kernel, phase = u % stride * stride + v % stride;
        return phase * plane + u / stride * pitch + v / stride;
    }

    private void layOut(MemorySegment x, int channel, float[] to, Scratch scratch) {
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
        return conv.x().dim(0) * imageColumns;
    }

    @Override
    public void pack(
            MicroKernel tile, int from, int depth, int column, int count, float[][] to, int lines, Scratch scratch) {
        int in = conv.x().dim(1);
        for (int taps, k = 0; k < depth; k += taps) {
            int channel = (from + k) / tapOffsets.length, tap = (from + k) % tapOffsets.length;
            taps = Math.min(tapOffsets.length - tap, depth - k);
            for (int n, done = 0; done < count; done += n) {
                int image = (column + done) / imageColumns, at = (column + done) % imageColumns;
                float[] plane = planes[image * in + channel];
                if (tile instanceof MachinePackedMicroKernel) {
                    n = tile.nr();
                    gather(plane, at, tap, taps, MachineKernels.segmentAt(to[done / n * lines], k * n));
                    continue;
                }
                n = Math.min(count - done, imageColumns - at);
                for (int i = 0; i < taps; i++)
                    tile.packRow(plane, at + (int) (tapOffsets[tap + i] / Float.BYTES), n, to, 0, lines, k + i, done);
            }
        }
    }

    private void gather(float[] plane, int at, int tap, int taps, MemorySegment to) {
        MemorySegment places = MemorySegment.ofArray(tapOffsets).asSlice((long) tap * Long.BYTES);
        try {
            MachineKernels.Gather.GATHER.invokeExact(MachineKernels.segmentAt(plane, at), to, (long) taps, places);
        } catch (Throwable e) {
            throw MachineKernels.unexpected(e);
        }
    }

    /** Takes the product to its place. */
    PaddedRowsOutput output(MemorySegment y, float[] bias) {
        int columns = conv.y().dim(3);
        return new PaddedRowsOutput(y, conv.y().dim(1), rows * columns, 0, 0, rows, columns, pitch, imageColumns, bias);
    }
}
