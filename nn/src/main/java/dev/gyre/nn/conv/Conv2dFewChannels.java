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
 * A convolution of stride 1 to a few channels: every pixel is multiplied with the taps of all outputs, one matrix product without
 * gathering windows, [out · taps, in] · [in, pixels]; then each output sums its taps' products from the pixels around it.
 */
record Conv2dFewChannels(Conv2d conv) implements JvmKernel {
    /** Pixels that are taken at a time. */
    private static final int CHUNK_PIXELS = 1 << 16;

    /** This way for a convolution, where it pays. */
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
        MicroKernel tile = MicroKernels.best();
        MemorySegment x = memory.at(conv.x()).data();
        PackedRows weights = weights(tile.mr(), memory.at(conv.weight()));
        PixelOperand pixels = new PixelOperand(x, in, height * width);
        int some = Math.max(1, CHUNK_PIXELS / width);
        for (int image = 0; image < conv.x().dim(0); image++)
            for (int row = 0; row < rows; row += some) {
                int above = Math.max(0, row - conv.padding());
                int below = Math.min(height, Math.min(rows, row + some) - conv.padding() + kernel - 1);
                int first = (image * height + above) * width, count = Math.max(0, below - above) * width;
                float[][] products = memory.scratch().rows(1, conv.y().dim(1) * taps(), (some + kernel) * width);
                Gemm.run(
                        tile,
                        conv.y().dim(1) * taps(),
                        count,
                        in,
                        weights,
                        (t, from, depth, column, wide, to, lines, scratch) ->
                                pixels.pack(t, from, depth, first + column, wide, to, lines, scratch),
                        (r, column, wide, from) -> System.arraycopy(from, 0, products[r], column, wide),
                        workers);
                int top = row, at = image;
                workers.run(
                        Math.min(some, rows - row),
                        (piece, scratch) -> sumTaps(memory, at, top + piece, above, below, products, scratch));
            }
    }

    /** Row {@code out · taps + tap} of the left matrix holds that tap of all input channels. */
    private PackedRows weights(int band, Tensor weight) {
        int in = conv.x().dim(1), taps = taps(), rows = conv.y().dim(1) * taps;
        float[] turned = new float[rows * in], as = weight.floats();
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < in; c++) turned[r * in + c] = as[(r / taps * in + c) * taps + r % taps];
        return PackedRows.of(band, Tensor.of(turned, rows, in), rows, in);
    }

    /** One row of all outputs. */
    private void sumTaps(JvmMemory memory, int image, int row, int above, int below, float[][] products, Scratch scratch) {
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
                    float[] more = products[(o * kernel + u) * kernel + v];
                    int at = (from - above) * width + shift;
                    for (int i = left; i < right; i++) line[i] += more[at + i];
                }
            }
            long to = (((long) image * out + o) * conv.y().dim(2) + row) * columns;
            MemorySegment.copy(line, 0, y, ValueLayout.JAVA_FLOAT, to * Float.BYTES, columns);
        }
    }
}
