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
 * The im2col matrix of a convolution, [in · kernel · kernel, batch · rows · pitch]: the right operand of a GEMM whose
 * left operand is the weights.
 *
 * <p>Each channel is first copied into padded phase planes, one for each remainder of row and column modulo the stride,
 * so that each tap reads a contiguous shifted row. A row of outputs is {@code pitch} columns long; the few outputs
 * beyond its end are computed and dropped.
 */
final class Im2Col implements Gemm.RightOperand {
    private final Conv2d conv;
    private final int kernel;
    private final int stride;
    private final int rows;
    private final int pitch;
    private final int plane; // floats of one phase
    private final int imageColumns; // columns of an image
    private final long[]
            tapOffsets; // for each tap, the offset in bytes at which the first output meets it in a channel's planes
    private final float[][] planes; // [batch · in] arrays of [stride, stride, plane]

    /** Lays out the convolution's input for a micro-kernel. */
    Im2Col(Conv2d conv, MicroKernel micro, JvmMemory memory, Workers workers) {
        this.conv = conv;
        kernel = conv.weight().dim(2);
        stride = conv.stride();
        rows = conv.y().dim(2);
        int extra = (kernel - 1) / stride;
        pitch = conv.y().dim(3) + extra;
        plane = (rows + extra + 1) * pitch;
        // In machine code a panel belongs to one image; columns beyond the image are never stored.
        boolean machineCode = micro instanceof MachinePackedMicroKernel;
        imageColumns = machineCode ? micro.panels(rows * pitch) * micro.nr() : rows * pitch;
        tapOffsets = new long[kernel * kernel];
        for (int tap = 0; tap < tapOffsets.length; tap++)
            tapOffsets[tap] = (long) tapOffset(tap, kernel, stride, plane, pitch) * Float.BYTES;
        int count = conv.x().dim(0) * conv.x().dim(1);
        planes = memory.scratch().rows(2, count, stride * stride * plane + micro.nr());
        MemorySegment x = memory.at(conv.x()).data();
        workers.run(count, (piece, scratch) -> layOut(x, piece, planes[piece], scratch));
    }

    /**
     * The offset at which the first output meets a tap, in a channel's planes [stride, stride, plane] with rows
     * {@code pitch} long.
     */
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
            MicroKernel micro, int from, int depth, int column, int count, float[][] to, int arrays, Scratch scratch) {
        int in = conv.x().dim(1);
        for (int taps, k = 0; k < depth; k += taps) {
            int channel = (from + k) / tapOffsets.length, tap = (from + k) % tapOffsets.length;
            taps = Math.min(tapOffsets.length - tap, depth - k);
            for (int n, done = 0; done < count; done += n) {
                int image = (column + done) / imageColumns, at = (column + done) % imageColumns;
                float[] plane = planes[image * in + channel];
                if (micro instanceof MachinePackedMicroKernel) {
                    n = micro.nr();
                    gather(plane, at, tap, taps, MachineKernels.segmentAt(to[done / n * arrays], k * n));
                    continue;
                }
                n = Math.min(count - done, imageColumns - at);
                for (int i = 0; i < taps; i++)
                    micro.packRow(plane, at + (int) (tapOffsets[tap + i] / Float.BYTES), n, to, 0, arrays, k + i, done);
            }
        }
    }

    private void gather(float[] plane, int at, int tap, int taps, MemorySegment to) {
        MemorySegment offsets = MemorySegment.ofArray(tapOffsets).asSlice((long) tap * Long.BYTES);
        try {
            MachineKernels.Gather.GATHER.invokeExact(MachineKernels.segmentAt(plane, at), to, (long) taps, offsets);
        } catch (Throwable e) {
            throw MachineKernels.unexpected(e);
        }
    }

    /** The destination of the product. */
    PaddedRowsOutput output(MemorySegment y, float[] bias) {
        int columns = conv.y().dim(3);
        return new PaddedRowsOutput(y, conv.y().dim(1), rows * columns, 0, 0, rows, columns, pitch, imageColumns, bias);
    }
}
