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
 * A 3×3 convolution of stride 1 by Winograd's minimal filtering: the picture is cut into tiles of m × m outputs, tiles and weights
 * are transformed, and every one of the (m + 2)² points is a matrix product over the channels, [out, in] · [in, tiles].
 *
 * <p>The transformed picture is made once, for as many tiles as {@link #INPUT_FLOATS} holds. The transformed weights never exist as a whole:
 * a block of outputs takes them block by block from the file's 16-bit numbers. The points' sums stay in the second cache until
 * their outputs are read off.
 */
record Winograd(Conv2d conv, WinogradTransform transform) implements JvmKernel {
    /** Channels that are taken at a time; sums begin anew after so many. */
    static final int KC = 128;

    /** Tiles that share one transform of the weights. */
    private static final int CHUNK_TILES = 128;

    /** Floats of transformed picture that are kept at a time. */
    static final int INPUT_FLOATS = 6 << 20;

    /** Floats of a block of transformed weights, for the second cache. */
    private static final int WEIGHT_FLOATS = 110_000;

    /** Channels' tiles that are transformed at a time. */
    private static final int TRANSFORM_TILES = 512;

    /** This way for a convolution, where it exists and pays. */
    static Optional<JvmKernel> of(Conv2d conv) {
        int rows = conv.y().dim(2), columns = conv.y().dim(3);
        if (conv.weight().dim(2) != 3 || conv.stride() != 1 || conv.x().dim(1) < 16) return Optional.empty();
        // By the picture, not by the batch: a picture is the same alone and in any batch.
        boolean large = rows * columns >= 144 && Math.min(rows, columns) > 4;
        Winograd way = new Winograd(conv, large ? WinogradTransform.F4 : WinogradTransform.F2);
        if (8 * way.down() * way.across() < MicroKernels.best().nr()) return Optional.empty();
        return Optional.of(large && MachineMicroKernel.isAvailable() ? new WinogradMachineCode(conv, way) : way);
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

    /** Tiles from top to bottom of a picture. */
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
        MicroKernel tile = MicroKernels.best();
        int lines = conv.y().dim(0) * down(), fit = Math.max(1, INPUT_FLOATS / points() / in() / across());
        int chunks = (lines + fit - 1) / fit;
        for (int chunk = 0; chunk < chunks; chunk++) {
            int first = (int) ((long) lines * chunk / chunks), end = (int) ((long) lines * (chunk + 1) / chunks);
            new Chunk(tile, first, end - first, memory).run(workers);
        }
    }

    /**
     * The nine taps of a block of weights: to[tap][at + tap · apart + k · band + i] is output row + i, channel from + k. The arrays
     * may be one and the same where {@code apart} is wide enough.
     */
    interface Taps {
        void pack(int row, int from, int depth, float[][] to, int at, int apart, Scratch scratch);
    }

    Taps taps(JvmMemory memory, int band) {
        int in = in(), out = out();
        return memory.packed(conv.weight(), "taps in bands of " + band, (tensor, allocate) -> {
                    Tensor to = allocate.apply(tensor.dtype(), Shape.of((out + band - 1) / band, 9, in, band));
                    Taps from = unpacked(tensor, band);
                    Scratch scratch = new Scratch();
                    float[][] block = new float[9][in * band];
                    for (int row = 0; row < out; row += band) {
                        from.pack(row, 0, in, block, 0, 0, scratch);
                        for (int tap = 0; tap < 9; tap++) {
                            long at = ((long) (row / band) * 9 + tap) * in * band;
                            to.write(block[tap], 0, at, in * band, scratch.shorts());
                        }
                    }
                    return to;
                })
                .<Taps>map(tensor -> (row, from, depth, to, at, apart, scratch) -> {
                    for (int tap = 0; tap < 9; tap++)
                        Elementwise.read(
                                tensor,
                                (((long) (row / band) * 9 + tap) * in + from) * band,
                                to[tap],
                                at + tap * apart,
                                depth * band,
                                scratch);
                })
                .orElseGet(() -> unpacked(memory.at(conv.weight()), band));
    }

    /** @param weight [out, in, 3, 3] */
    private Taps unpacked(Tensor weight, int band) {
        int in = in(), out = out();
        return (row, from, depth, to, at, apart, scratch) -> {
            float[] line = scratch.floats(ScratchSlots.LINE, 9 * depth);
            for (int i = 0; i < Math.min(band, out - row); i++) {
                weight.read(((long) (row + i) * in + from) * 9, line, 0, 9 * depth, scratch.shorts());
                for (int tap = 0; tap < 9; tap++) scatter(line, tap, to[tap], at + tap * apart + i, band, depth);
            }
        };
    }

    private static void scatter(float[] from, int tap, float[] to, int at, int band, int depth) {
        for (int k = 0; k < depth; k++) to[at + k * band] = from[k * 9 + tap];
    }

    /** Some lines of tiles of the batch, a picture's below the other's. */
    private final class Chunk {
        private final MicroKernel tile;
        private final int down = down();
        private final int across = across();
        private final int first;
        private final int count;
        private final int tiles;
        private final int panels;
        private final int blocks; // of DEPTH channels
        private final int arrays; // arrays of a strip of one block
        private final float[][] v; // [points, strips, blocks, lines]: the transformed picture
        private final JvmMemory memory;

        Chunk(MicroKernel tile, int first, int count, JvmMemory memory) {
            this.tile = tile;
            this.first = first;
            this.count = count;
            this.memory = memory;
            tiles = count * across;
            panels = tile.panels(tiles);
            blocks = (in() + KC - 1) / KC;
            arrays = tile.arrays(KC);
            v = memory.scratch().rows(0, points() * panels * blocks * arrays, tile.arrayLength(KC));
        }

        void run(Workers workers) {
            int group = Math.max(1, TRANSFORM_TILES / tiles), in = in(), out = out();
            MemorySegment x = memory.at(conv.x()).data();
            workers.run(
                    (in + group - 1) / group,
                    (piece, scratch) -> input(x, piece * group, Math.min(group, in - piece * group), scratch));

            int bands = Math.max(1, WEIGHT_FLOATS / points() / KC / tile.mr()), rows = bands * tile.mr();
            int groups = (out + rows - 1) / rows,
                    some = Math.max(tile.nr(), CHUNK_TILES),
                    parts = (tiles + some - 1) / some;
            Taps taps = taps(memory, tile.mr());
            float[] bias = memory.at(conv.bias()).floats();
            MemorySegment y = memory.at(conv.y()).data();
            // All outputs of some tiles before the next: what they read is still in a cache.
            workers.run(groups * parts, (piece, scratch) -> {
                int row = piece % groups * rows, from = piece / groups * some;
                block(taps, bias, y, row, Math.min(rows, out - row), from, Math.min(some, tiles - from), scratch);
            });
        }

        private void block(
                Taps taps, float[] bias, MemorySegment y, int row, int rows, int from, int count, Scratch scratch) {
            // Where all channels are one block, its weights serve strip after strip, whose sums are read off while they
            // are near.
            int some = blocks == 1 ? tile.nr() : count;
            for (int at = from; at < from + count; at += some) {
                int n = Math.min(some, from + count - at);
                for (int block = 0; block < blocks; block++) {
                    if (blocks > 1 || at == from) weights(taps, row, rows, block, scratch);
                    multiply(rows, block, at, n, scratch);
                }
                output(y, bias, row, rows, at, n, scratch);
            }
        }

        /** Transforms the tiles of some channels and puts them in strips. */
        private void input(MemorySegment x, int channel, int channels, Scratch scratch) {
            int side = transform.side, m = transform.out, n = channels * tiles;
            float[][] d = scratch.rows(ScratchSlots.INPUTS, points(), n);
            float[][] t = scratch.rows(ScratchSlots.PARTIAL_INPUTS, points(), n);
            float[] line = scratch.floats(ScratchSlots.LINE, m * across + 2);
            for (int c = 0; c < channels; c++)
                for (int i = 0; i < count; i++) {
                    int at = c * tiles + i * across, image = (first + i) / down, top = (first + i) % down * m;
                    for (int a = 0; a < side; a++)
                        // The first two lines of a tile are the last two of the one above.
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
                    int k = channel + c, strip = arrays * blocks;
                    int at = point * panels * strip + k / KC * arrays;
                    tile.packRow(d[point], c * tiles, tiles, v, at, strip, k % KC, 0);
                }
        }

        /** A line of the picture with the zeros around it. */
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
            int depth = depth(block), padded = tile.padded(rows), side = transform.side, n = padded * depth;
            float[][] g = scratch.rows(ScratchSlots.TAPS, 9, padded * KC);
            float[][] t = scratch.rows(ScratchSlots.PARTIAL_WEIGHTS, 3 * side, padded * KC);
            float[][] u = scratch.rows(ScratchSlots.WEIGHTS, points(), padded * KC);
            for (int i = 0; i < rows; i += tile.mr())
                taps.pack(row + i, block * KC, depth, g, i * depth, 0, scratch);
            for (int b = 0; b < 3; b++) transform.weight(g[b], g[3 + b], g[6 + b], t, b, 3, n);
            for (int a = 0; a < side; a++) transform.weight(t[3 * a], t[3 * a + 1], t[3 * a + 2], u, a * side, 1, n);
        }

        private int depth(int block) {
            return Math.min(KC, in() - block * KC);
        }

        /** The points' products, [points, strips] strips of the rows, in the thread's own scratch. */
        private void multiply(int rows, int block, int from, int count, Scratch scratch) {
            int padded = tile.padded(rows), depth = depth(block), of = tile.panels(count), perC = tile.arrays(padded);
            float[][] sums = sums(padded, count, scratch);
            float[][] u = scratch.rows(ScratchSlots.WEIGHTS, points(), padded * KC);
            for (int point = 0; point < points(); point++)
                for (int strip = 0; strip < of; strip++) {
                    int b = ((point * panels + from / tile.nr() + strip) * blocks + block) * arrays;
                    int c = (point * of + strip) * perC, width = Math.min(tile.nr(), count - strip * tile.nr());
                    tile.multiply(block > 0, u[point], 0, v, b, depth, sums, c, 0, rows, width, scratch);
                }
        }

        private float[][] sums(int padded, int count, Scratch scratch) {
            int arrays = points() * tile.panels(count) * tile.arrays(padded);
            return scratch.rows(ScratchSlots.C_PANELS, arrays, tile.arrayLength(padded));
        }

        /** Reads the outputs off the points' sums. */
        private void output(MemorySegment y, float[] bias, int row, int rows, int from, int count, Scratch scratch) {
            int side = transform.side, m = transform.out, padded = tile.padded(rows);
            int of = tile.panels(count), perStrip = tile.arrays(padded), perLine = padded / perStrip;
            float[][] sums = sums(padded, count, scratch), one = new float[points()][];
            float[][] done = scratch.rows(ScratchSlots.OUTPUTS, side * m + m * m, tile.arrayLength(padded));
            for (int strip = 0; strip < of; strip++)
                for (int line = 0; line < perStrip; line++) {
                    int first = from + strip * tile.nr(), width = Math.min(tile.nr(), from + count - first);
                    int n = perLine == 1 ? width : Math.min(perLine, rows) * tile.nr();
                    for (int point = 0; point < points(); point++)
                        one[point] = sums[(point * of + strip) * perStrip + line];
                    for (int b = 0; b < side; b++) transform.output(one, b, side, done, b, side, n);
                    for (int a = 0; a < m; a++) transform.output(done, a * side, 1, done, side * m + a * m, 1, n);
                    for (int i = line * perLine; i < Math.min(rows, (line + 1) * perLine); i++)
                        store(y, row + i, bias[row + i], done, i % perLine * tile.nr(), first, width, scratch);
                }
        }

        /** Some tiles' outputs of one channel, from {@code begin} in the arrays, to where the tiles lie in the picture. */
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
