package dev.gyre.nn.conv;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Scratch;
import dev.gyre.core.Tensor;
import dev.gyre.core.Workers;
import dev.gyre.nn.cpu.Gemm;
import dev.gyre.nn.cpu.MicroKernel;
import dev.gyre.nn.cpu.MicroKernels;
import dev.gyre.nn.cpu.PackedRows;
import dev.gyre.nn.cpu.ScratchSlots;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Optional;

/**
 * A convolution of stride 1 with few output channels: one GEMM without im2col multiplies every pixel with the taps of
 * all outputs, [out · taps, in] · [in, pixels]; then each output sums its taps' products from the surrounding pixels.
 */
record Conv2dFewChannels(Conv2d conv) implements JvmKernel {
    /** Pixels of a chunk. */
    private static final int CHUNK_PIXELS = 1 << 16;

    /** This algorithm for a convolution, where it pays. */
    static Optional<Conv2dFewChannels> of(Conv2d conv) {
        int kernel = conv.weight().dim(2);
        return conv.stride() == 1 && kernel > 1 && conv.y().dim(1) * kernel * kernel <= 48
                ? Optional.of(new Conv2dFewChannels(conv))
                : Optional.empty();
    }

    private int taps() {
        return conv.weight().dim(2) * conv.weight().dim(3);
    }

    @Override
    public void run(JvmMemory memory, Workers workers) {
        int in = conv.x().dim(1), height = conv.x().dim(2), width = conv.x().dim(3);
        int rows = conv.y().dim(2), kernel = conv.weight().dim(2);
        MicroKernel micro = MicroKernels.best();
        MemorySegment x = memory.at(conv.x()).data();
        /** Row {@code out · taps + tap} of A holds that tap of all input channels. */
        PackedRows weights = weights(micro.mr(), memory.at(conv.weight()));
        PixelOperand pixels = new PixelOperand(x, in, height * width);
        int chunkRows = Math.max(1, CHUNK_PIXELS / width);
        for (int image = 0; image < conv.x().dim(0); image++)
            for (int row = 0; row < rows; row += chunkRows) {
                int above = Math.max(0, row - conv.padding());
                int below = Math.min(height, Math.min(rows, row + chunkRows) - conv.padding() + kernel - 1);
                int first = (image * height + above) * width, count = Math.max(0, below - above) * width;
                float[][] products = memory.scratch().rows(1, conv.y().dim(1) * taps(), (chunkRows + kernel) * width);
                Gemm.run(
                        micro,
                        conv.y().dim(1) * taps(),
                        count,
                        in,
                        weights,
                        (t, from, depth, column, n, to, arrays, scratch) ->
                                pixels.pack(t, from, depth, first + column, n, to, arrays, scratch),
                        (r, column, n, from) -> System.arraycopy(from, 0, products[r], column, n),
                        workers);
                int top = row, at = image;
                workers.run(
                        Math.min(chunkRows, rows - row),
                        (piece, scratch) -> sumTaps(memory, at, top + piece, above, below, products, scratch));
            }
    }

    /** Row {@code out · taps + tap} of the left matrix holds that tap of all input channels. */
    private PackedRows weights(int mr, Tensor weight) {
        int in = conv.x().dim(1), taps = taps(), rows = conv.y().dim(1) * taps;
        float[] reordered = new float[rows * in], as = weight.floats();
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < in; c++) reordered[r * in + c] = as[(r / taps * in + c) * taps + r % taps];
        return PackedRows.of(mr, Tensor.of(reordered, rows, in), rows, in);
    }

    /** Sums one row of all outputs. */
    private void sumTaps(
            JvmMemory memory, int image, int row, int above, int below, float[][] products, Scratch scratch) {
        int width = conv.x().dim(3),
                columns = conv.y().dim(3),
                kernel = conv.weight().dim(2),
                out = conv.y().dim(1);
        float[] line = scratch.floats(ScratchSlots.LINE, columns),
                bias = memory.at(conv.bias()).floats();
        MemorySegment y = memory.at(conv.y()).data();
        for (int o = 0; o < out; o++) {
            Arrays.fill(line, 0, columns, bias[o]);
            for (int u = 0; u < kernel; u++) {
                int from = row + u - conv.padding();
                if (from < above || from >= below) continue;
                for (int v = 0; v < kernel; v++) {
                    int shift = v - conv.padding(),
                            left = Math.max(0, -shift),
                            right = Math.min(columns, width - shift);
                    float[] product = products[(o * kernel + u) * kernel + v];
                    int at = (from - above) * width + shift;
                    for (int i = left; i < right; i++) line[i] += product[at + i];
                }
            }
            long to = (((long) image * out + o) * conv.y().dim(2) + row) * columns;
            MemorySegment.copy(line, 0, y, ValueLayout.JAVA_FLOAT, to * Float.BYTES, columns);
        }
    }
}
