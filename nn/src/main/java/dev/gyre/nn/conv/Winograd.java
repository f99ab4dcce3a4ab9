package dev.gyre.nn.conv;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Scratch;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.core.Workers;
import dev.gyre.nn.cpu.Elementwise;
import dev.gyre.nn.cpu.MachineMicroKernel;
import dev.gyre.nn.cpu.MicroKernel;
import dev.gyre.nn.cpu.MicroKernels;
import dev.gyre.nn.cpu.ScratchSlots;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Optional;

/**
 * A 3×3 convolution of stride 1 by Winograd's minimal filtering: the image is cut into tiles of m × m outputs, tiles
 * and weights are transformed, and each of the (m + 2)² points is a GEMM over the channels, [out, in] · [in, tiles].
 *
 * <p>The transformed image is made once, for as many tiles as {@link #INPUT_FLOATS} holds. The transformed weights
 * never exist as a whole: a block of outputs transforms them block by block from the checkpoint's 16-bit elements. The
 * points' sums stay in the L2 cache until the output transform reads them.
 */
record Winograd(Conv2d conv, WinogradTransform transform) implements JvmKernel {
    /** Channels of a block; sums restart after so many. */
    static final int KC = 128;

    /** Tiles that share one transform of the weights. */
    private static final int CHUNK_TILES = 128;

    /** Floats of transformed image that are kept at a time. */
    static final int INPUT_FLOATS = 6 << 20;

    /** Floats of a block of transformed weights, to fit the L2 cache. */
    private static final int WEIGHT_FLOATS = 110_000;

    /** Tiles, over channels, that are transformed at a time. */
    private static final int TRANSFORM_TILES = 512;

    /** This algorithm for a convolution, where it applies and pays. */
    static Optional<JvmKernel> of(Conv2d conv) {
        int rows = conv.y().dim(2), columns = conv.y().dim(3);
        if (conv.weight().dim(2) != 3 || conv.stride() != 1 || conv.x().dim(1) < 16) return Optional.empty();
        // Decided by the image, not by the batch: an image gets the same bits alone and in any batch.
        boolean large = rows * columns >= 144 && Math.min(rows, columns) > 4;
        Winograd winograd = new Winograd(conv, large ? WinogradTransform.F4 : WinogradTransform.F2);
        if (8 * winograd.down() * winograd.across() < MicroKernels.best().nr()) return Optional.empty();
        return Optional.of(
                large && MachineMicroKernel.isAvailable() ? new WinogradMachineCode(conv, winograd) : winograd);
    }

    private int in() {
        return conv.x().dim(1);
    }

    private int out() {
        return conv.y().dim(1);
    }

    private int points() {
        return transform.side * transform.side;
    }

    /** Tiles from top to bottom of an image. */
    int down() {
        return (conv.y().dim(2) + transform.out - 1) / transform.out;
    }

    /** Tiles from left to right. */
    int across() {
        return (conv.y().dim(3) + transform.out - 1) / transform.out;
    }

    @Override
    public void prepare(JvmMemory memory) {
        taps(memory, MicroKernels.best().mr());
    }

    @Override
    public void run(JvmMemory memory, Workers workers) {
        MicroKernel micro = MicroKernels.best();
        int tileRows = conv.y().dim(0) * down(), maxRows = Math.max(1, INPUT_FLOATS / points() / in() / across());
        int chunks = (tileRows + maxRows - 1) / maxRows;
        for (int chunk = 0; chunk < chunks; chunk++) {
            int first = (int) ((long) tileRows * chunk / chunks), end = (int) ((long) tileRows * (chunk + 1) / chunks);
            new Chunk(micro, first, end - first, memory).run(workers);
        }
    }

    /**
     * The nine taps of a block of weights: to[tap][at + tap · stride + k · mr + i] is output row + i, channel from + k.
     * The arrays may be one and the same where {@code stride} is wide enough.
     */
    interface Taps {
        void pack(int row, int from, int depth, float[][] to, int at, int stride, Scratch scratch);
    }

    Taps taps(JvmMemory memory, int mr) {
        int in = in(), out = out();
        return memory.packed(conv.weight(), "taps in panels of " + mr, (tensor, allocate) -> {
                    Tensor to = allocate.apply(tensor.dtype(), Shape.of((out + mr - 1) / mr, 9, in, mr));
                    Taps from = unpacked(tensor, mr);
                    Scratch scratch = new Scratch();
                    float[][] block = new float[9][in * mr];
                    for (int row = 0; row < out; row += mr) {
                        from.pack(row, 0, in, block, 0, 0, scratch);
                        for (int tap = 0; tap < 9; tap++) {
                            long at = ((long) (row / mr) * 9 + tap) * in * mr;
                            to.write(block[tap], 0, at, in * mr, scratch.shorts());
                        }
                    }
                    return to;
                })
                .<Taps>map(tensor -> (row, from, depth, to, at, stride, scratch) -> {
                    for (int tap = 0; tap < 9; tap++)
                        Elementwise.read(
                                tensor,
                                (((long) (row / mr) * 9 + tap) * in + from) * mr,
                                to[tap],
                                at + tap * stride,
                                depth * mr,
                                scratch);
                })
                .orElseGet(() -> unpacked(memory.at(conv.weight()), mr));
    }

    /** @param weight [out, in, 3, 3] */
    private Taps unpacked(Tensor weight, int mr) {
        int in = in(), out = out();
        return (row, from, depth, to, at, stride, scratch) -> {
            float[] line = scratch.floats(ScratchSlots.LINE, 9 * depth);
            for (int i = 0; i < Math.min(mr, out - row); i++) {
                weight.read(((long) (row + i) * in + from) * 9, line, 0, 9 * depth, scratch.shorts());
                for (int tap = 0; tap < 9; tap++) scatter(line, tap, to[tap], at + tap * stride + i, mr, depth);
            }
        };
    }

    private static void scatter(float[] from, int tap, float[] to, int at, int mr, int depth) {
        for (int k = 0; k < depth; k++) to[at + k * mr] = from[k * 9 + tap];
    }

    /** Some rows of tiles of the batch, an image's below the previous one's. */
    private final class Chunk {
        private final MicroKernel micro;
        private final int down = down();
        private final int across = across();
        private final int first;
        private final int count;
        private final int tiles;
        private final int panels;
        private final int blocks; // of KC channels
        private final int arrays; // arrays of a panel of one block
        private final float[][] v; // [points, panels, blocks, arrays]: the transformed image
        private final JvmMemory memory;

        Chunk(MicroKernel micro, int first, int count, JvmMemory memory) {
            this.micro = micro;
            this.first = first;
            this.count = count;
            this.memory = memory;
            tiles = count * across;
            panels = micro.panels(tiles);
            blocks = (in() + KC - 1) / KC;
            arrays = micro.arrays(KC);
            v = memory.scratch().rows(0, points() * panels * blocks * arrays, micro.arrayLength(KC));
        }

        void run(Workers workers) {
            int channelStep = Math.max(1, TRANSFORM_TILES / tiles), in = in(), out = out();
            MemorySegment x = memory.at(conv.x()).data();
            workers.run(
                    (in + channelStep - 1) / channelStep,
                    (piece, scratch) ->
                            input(x, piece * channelStep, Math.min(channelStep, in - piece * channelStep), scratch));

            int panelCount = Math.max(1, WEIGHT_FLOATS / points() / KC / micro.mr()), rows = panelCount * micro.mr();
            int rowBlocks = (out + rows - 1) / rows,
                    step = Math.max(micro.nr(), CHUNK_TILES),
                    parts = (tiles + step - 1) / step;
            Taps taps = taps(memory, micro.mr());
            float[] bias = memory.at(conv.bias()).floats();
            MemorySegment y = memory.at(conv.y()).data();
            // All outputs of some tiles before the next tiles: their inputs are still in a cache.
            workers.run(rowBlocks * parts, (piece, scratch) -> {
                int row = piece % rowBlocks * rows, from = piece / rowBlocks * step;
                block(taps, bias, y, row, Math.min(rows, out - row), from, Math.min(step, tiles - from), scratch);
            });
        }

        private void block(
                Taps taps, float[] bias, MemorySegment y, int row, int rows, int from, int count, Scratch scratch) {
            // Where all channels are one block, its weights serve panel after panel, whose sums are transformed while
            // they are in the cache.
            int step = blocks == 1 ? micro.nr() : count;
            for (int at = from; at < from + count; at += step) {
                int n = Math.min(step, from + count - at);
                for (int block = 0; block < blocks; block++) {
                    if (blocks > 1 || at == from) weights(taps, row, rows, block, scratch);
                    multiply(rows, block, at, n, scratch);
                }
                output(y, bias, row, rows, at, n, scratch);
            }
        }

        /** Transforms the tiles of some channels and packs them into panels. */
        private void input(MemorySegment x, int channel, int channels, Scratch scratch) {
            int side = transform.side, m = transform.out, n = channels * tiles;
            float[][] d = scratch.rows(ScratchSlots.INPUTS, points(), n);
            float[][] t = scratch.rows(ScratchSlots.PARTIAL_INPUTS, points(), n);
            float[] line = scratch.floats(ScratchSlots.LINE, m * across + 2);
            for (int c = 0; c < channels; c++)
                for (int i = 0; i < count; i++) {
                    int at = c * tiles + i * across, image = (first + i) / down, top = (first + i) % down * m;
                    for (int a = 0; a < side; a++)
                        // The first two rows of a tile are the last two of the tile above.
                        if (a < 2 && i > 0 && top > 0)
                            for (int b = 0; b < side; b++)
                                System.arraycopy(d[(a + m) * side + b], at - across, d[a * side + b], at, across);
                        else {
                            paddedRow(x, image, channel + c, top + a - conv.padding(), line);
                            for (int b = 0; b < side; b++) copyStrided(m, line, b, d[a * side + b], at, across);
                        }
                }
            for (int a = 0; a < side; a++) transform.input(d, t, a * side, 1, n);
            for (int b = 0; b < side; b++) transform.input(t, d, b, side, n);
            for (int point = 0; point < points(); point++)
                for (int c = 0; c < channels; c++) {
                    int k = channel + c, panelArrays = arrays * blocks;
                    int at = point * panels * panelArrays + k / KC * arrays;
                    micro.packRow(d[point], c * tiles, tiles, v, at, panelArrays, k % KC, 0);
                }
        }

        /** One row of the image with its zero padding. */
        private void paddedRow(MemorySegment x, int image, int channel, int row, float[] to) {
            int height = conv.x().dim(2), width = conv.x().dim(3), length = transform.out * across + 2;
            if (row < 0 || row >= height) Arrays.fill(to, 0, length, 0f);
            else {
                long at = (((long) image * in() + channel) * height + row) * width;
                Arrays.fill(to, 0, conv.padding(), 0f);
                MemorySegment.copy(x, ValueLayout.JAVA_FLOAT, at * Float.BYTES, to, conv.padding(), width);
                Arrays.fill(to, conv.padding() + width, length, 0f);
            }
        }

        /** Transforms the weights of some outputs and one block of channels. */
        private void weights(Taps taps, int row, int rows, int block, Scratch scratch) {
            int depth = depth(block), padded = micro.padded(rows), side = transform.side, n = padded * depth;
            float[][] g = scratch.rows(ScratchSlots.TAPS, 9, padded * KC);
            float[][] t = scratch.rows(ScratchSlots.PARTIAL_WEIGHTS, 3 * side, padded * KC);
            float[][] u = scratch.rows(ScratchSlots.WEIGHTS, points(), padded * KC);
            for (int i = 0; i < rows; i += micro.mr()) taps.pack(row + i, block * KC, depth, g, i * depth, 0, scratch);
            for (int b = 0; b < 3; b++) transform.weight(g[b], g[3 + b], g[6 + b], t, b, 3, n);
            for (int a = 0; a < side; a++) transform.weight(t[3 * a], t[3 * a + 1], t[3 * a + 2], u, a * side, 1, n);
        }

        private int depth(int block) {
            return Math.min(KC, in() - block * KC);
        }

        /** The points' products, [points, panels] panels of the rows, in the thread's own scratch. */
        private void multiply(int rows, int block, int from, int count, Scratch scratch) {
            int padded = micro.padded(rows),
                    depth = depth(block),
                    panelCount = micro.panels(count),
                    arraysC = micro.arrays(padded);
            float[][] sums = sums(padded, count, scratch);
            float[][] u = scratch.rows(ScratchSlots.WEIGHTS, points(), padded * KC);
            for (int point = 0; point < points(); point++)
                for (int panel = 0; panel < panelCount; panel++) {
                    int b = ((point * panels + from / micro.nr() + panel) * blocks + block) * arrays;
                    int c = (point * panelCount + panel) * arraysC,
                            width = Math.min(micro.nr(), count - panel * micro.nr());
                    micro.multiply(block > 0, u[point], 0, v, b, depth, sums, c, 0, rows, width, scratch);
                }
        }

        private float[][] sums(int padded, int count, Scratch scratch) {
            int arrays = points() * micro.panels(count) * micro.arrays(padded);
            return scratch.rows(ScratchSlots.C_PANELS, arrays, micro.arrayLength(padded));
        }

        /** Transforms the points' sums to outputs. */
        private void output(MemorySegment y, float[] bias, int row, int rows, int from, int count, Scratch scratch) {
            int side = transform.side, m = transform.out, padded = micro.padded(rows);
            int panelCount = micro.panels(count), panelArrays = micro.arrays(padded), arrayRows = padded / panelArrays;
            float[][] sums = sums(padded, count, scratch), pointSums = new float[points()][];
            float[][] done = scratch.rows(ScratchSlots.OUTPUTS, side * m + m * m, micro.arrayLength(padded));
            for (int panel = 0; panel < panelCount; panel++)
                for (int line = 0; line < panelArrays; line++) {
                    int first = from + panel * micro.nr(), width = Math.min(micro.nr(), from + count - first);
                    int n = arrayRows == 1 ? width : Math.min(arrayRows, rows) * micro.nr();
                    for (int point = 0; point < points(); point++)
                        pointSums[point] = sums[(point * panelCount + panel) * panelArrays + line];
                    for (int b = 0; b < side; b++) transform.output(pointSums, b, side, done, b, side, n);
                    for (int a = 0; a < m; a++) transform.output(done, a * side, 1, done, side * m + a * m, 1, n);
                    for (int i = line * arrayRows; i < Math.min(rows, (line + 1) * arrayRows); i++)
                        store(y, row + i, bias[row + i], done, i % arrayRows * micro.nr(), first, width, scratch);
                }
        }

        /**
         * Stores some tiles' outputs of one channel, from {@code begin} in the arrays, where the tiles lie in the
         * image.
         */
        private void store(
                MemorySegment y,
                int channel,
                float bias,
                float[][] from,
                int begin,
                int tile,
                int count,
                Scratch scratch) {
            int m = transform.out, outputs = transform.side * m;
            int height = conv.y().dim(2), width = conv.y().dim(3);
            float[] line = scratch.floats(ScratchSlots.LINE, m * across);
            for (int done = 0; done < count; ) {
                int left = (tile + done) % across, n = Math.min(across - left, count - done);
                int row = first + (tile + done) / across, image = row / down, top = row % down * m;
                int pixels = Math.min(n * m, width - left * m);
                for (int a = 0; a < Math.min(m, height - top); a++) {
                    for (int b = 0; b < m; b++) scatter(from[outputs + a * m + b], begin + done, line, b, m, n, bias);
                    long to = (((long) image * out() + channel) * height + top + a) * width + left * m;
                    MemorySegment.copy(line, 0, y, ValueLayout.JAVA_FLOAT, to * Float.BYTES, pixels);
                }
                done += n;
            }
        }
    }

    private static void copyStrided(int m, float[] from, int first, float[] to, int at, int n) {
        for (int i = 0; i < n; i++) to[at + i] = from[first + i * m];
    }

    private static void scatter(float[] from, int first, float[] to, int at, int m, int n, float bias) {
        for (int i = 0; i < n; i++) to[at + i * m] = from[first + i] + bias;
    }
}
