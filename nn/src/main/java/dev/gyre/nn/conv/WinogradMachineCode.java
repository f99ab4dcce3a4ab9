package dev.gyre.nn.conv;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Scratch;
import dev.gyre.core.Workers;
import dev.gyre.machine.kernel.WinogradKernel;
import dev.gyre.nn.cpu.Elementwise;
import dev.gyre.nn.cpu.MachineKernels;
import dev.gyre.nn.cpu.ScratchSlots;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;

/**
 * {@link Winograd}'s F(4, 3) with its transforms in machine code, each in both directions at once: a channel is laid out with its
 * padding, its tiles become points while it is in a cache, and a strip's sums become outputs while they are. The same numbers and
 * the same sums, so the same bits.
 *
 * <p>Lanes are tiles, four neighbours of a line (16 pixels) a group; a line of tiles is filled up to whole groups. How many tiles a
 * vector holds changes which are computed together, and no tile's sums.
 */
record WinogradMachineCode(Conv2d conv, Winograd winograd) implements JvmKernel {
    private static final int POINTS = 36, KC = Winograd.KC, QUAD_WIDTH = 16;

    /** Tiles of a vector, and of a strip; groups likewise. */
    private static final int LANES = MachineKernels.VECTOR_BITS / 32, NR = 2 * LANES, VECTOR_QUADS = LANES / 4, PANEL_QUADS = NR / 4;

    /** Outputs that are taken at a time: their transformed weights are 432 KiB, half of a second cache or nearly all of a small one. */
    private static final int ROWS = 24;

    /** Strips whose sums are kept where channels come in more than one block: more would push each other out of the second cache. */
    private static final int CHUNK_PANELS = 4;

    private static final int MR = MachineKernels.GemmF32.MR;

    /**
     * Where strips begin in their array. A JVM that gives large arrays regions of their own has their floats begin 16 bytes behind a
     * line of the cache's 64; from here on a strip's rows are whole lines.
     */
    private static final int ALIGNED = 12;

    private int in() {
        return conv.x().dim(1);
    }

    private int out() {
        return conv.y().dim(1);
    }

    /** Groups of a line of tiles. */
    private int quads() {
        return (winograd.across() + 3) / 4;
    }

    @Override
    public void prepare(JvmMemory memory) {
        winograd.taps(memory, MR);
    }

    @Override
    public void run(JvmMemory memory, Workers workers) {
        int lines = conv.y().dim(0) * winograd.down();
        int fit = Math.max(1, Winograd.INPUT_FLOATS / POINTS / in() / (4 * quads())), chunks = (lines + fit - 1) / fit;
        for (int chunk = 0; chunk < chunks; chunk++) {
            int first = (int) ((long) lines * chunk / chunks), end = (int) ((long) lines * (chunk + 1) / chunks);
            new Chunk(memory, first, end - first).run(workers);
        }
    }

    /** Some lines of tiles of the batch, a picture's below the other's. */
    private final class Chunk {
        private final JvmMemory memory;
        private final int first;
        private final int count;
        private final int quads = quads();
        private final int panels;
        private final int pitch = QUAD_WIDTH * quads + 4; // of a channel's padded lines
        private final int point = in() * NR + 16; // floats between points; not a multiple of 4 KiB
        private final float[] v; // from ALIGNED on: [strips, points, in, STRIP]
        private final MemorySegment x;
        private final MemorySegment y;

        Chunk(JvmMemory memory, int first, int count) {
            this.memory = memory;
            this.first = first;
            this.count = count;
            panels = (count * quads + PANEL_QUADS - 1) / PANEL_QUADS;
            v = memory.scratch().floats(0, ALIGNED + panels * POINTS * point);
            x = memory.at(conv.x()).data();
            y = memory.at(conv.y()).data();
        }

        void run(Workers workers) {
            long[] places = quadOffsets();
            workers.run(in(), (channel, scratch) -> input(channel, places, scratch));
            int blocks = (in() + KC - 1) / KC, some = blocks == 1 ? Math.max(CHUNK_PANELS, panels / 4) : CHUNK_PANELS;
            int parts = (panels + some - 1) / some, pieces = (out() + ROWS - 1) / ROWS;
            Winograd.Taps taps = winograd.taps(memory, MR);
            float[] bias = memory.at(conv.bias()).floats();
            // All outputs of some tiles before the next: what they read is still in a cache.
            workers.run(pieces * parts, (piece, scratch) -> {
                int row = piece % pieces * ROWS, from = piece / pieces * some;
                block(taps, bias, row, Math.min(ROWS, out() - row), from, Math.min(some, panels - from), scratch);
            });
        }

        /** Where each group begins in a channel's padded lines, in bytes; pictures of the batch have lines of their own. */
        private long[] quadOffsets() {
            long[] places = new long[panels * PANEL_QUADS];
            for (int line = 0; line < count; line++)
                for (int g = 0; g < quads; g++)
                    places[line * quads + g] = ((long) firstPaddedRow(line) * pitch + g * QUAD_WIDTH) * Float.BYTES;
            return places;
        }

        /** The first padded line of a line of tiles: each but a picture's first shares two with the one above. */
        private int firstPaddedRow(int line) {
            int pictures = (first + line) / winograd.down() - first / winograd.down();
            return 4 * line + 2 * pictures;
        }

        private void input(int channel, long[] places, Scratch scratch) {
            int height = conv.x().dim(2), width = conv.x().dim(3), padding = conv.padding(), lines = firstPaddedRow(count - 1) + 6;
            float[] plane = scratch.floats(ScratchSlots.GATHERED, lines * pitch);
            for (int line = 0; line < count; line++) {
                int image = (first + line) / winograd.down(), down = (first + line) % winograd.down();
                for (int a = line == 0 || down == 0 ? 0 : 2; a < 6; a++) {
                    int row = 4 * down + a - padding, at = (firstPaddedRow(line) + a) * pitch;
                    if (row < 0 || row >= height) Arrays.fill(plane, at, at + pitch, 0f);
                    else {
                        long from = (((long) image * in() + channel) * height + row) * width;
                        int n = Math.min(width, pitch - padding);
                        Arrays.fill(plane, at, at + padding, 0f);
                        Elementwise.read(x, from, plane, at + padding, n);
                        Arrays.fill(plane, at + padding + n, at + pitch, 0f);
                    }
                }
            }
            try {
                Transforms.INPUT.invokeExact(
                        MemorySegment.ofArray(plane),
                        MemorySegment.ofArray(places),
                        MachineKernels.segmentAt(v, ALIGNED + channel * NR),
                        point * 4L,
                        POINTS * point * 4L,
                        (long) (count * quads + VECTOR_QUADS - 1) / VECTOR_QUADS,
                        pitch * 4L);
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        }

        private void block(Winograd.Taps taps, float[] bias, int row, int rows, int from, int strips, Scratch scratch) {
            int padded = (rows + MR - 1) / MR * MR, blocks = (in() + KC - 1) / KC;
            int apart = padded * NR + 16, size = POINTS * apart; // floats between points, of a strip's sums
            float[] sums = scratch.floats(ScratchSlots.PANEL_SUMS, (blocks == 1 ? 1 : strips) * size);
            float[] u = scratch.floats(ScratchSlots.A_PANELS, POINTS * (padded * KC + 16));
            for (int block = 0; block < blocks; block++) {
                int depth = Math.min(KC, in() - block * KC), weights = padded * depth + 16;
                weights(taps, row, rows, block * KC, depth, u, weights, scratch);
                for (int s = 0; s < strips; s++) {
                    int to = blocks == 1 ? 0 : s * size;
                    for (int p = 0; p < POINTS; p++)
                        multiply(
                                block > 0,
                                MachineKernels.segmentAt(u, p * weights),
                                MachineKernels.segmentAt(
                                        v, ALIGNED + ((from + s) * POINTS + p) * point + block * KC * NR),
                                MachineKernels.segmentAt(sums, to + p * apart),
                                depth,
                                padded / MR);
                    if (block == blocks - 1) output(sums, to, apart, bias, row, rows, from + s, scratch);
                }
            }
        }

        /** Transforms the weights of some outputs and channels; points lie {@code apart} floats from one another. */
        private void weights(
                Winograd.Taps taps, int row, int rows, int channel, int depth, float[] u, int apart, Scratch scratch) {
            float[] g = scratch.floats(ScratchSlots.KEYS, 9 * apart);
            float[][] all = new float[9][];
            Arrays.fill(all, g);
            for (int i = 0; i < rows; i += MR) taps.pack(row + i, channel, depth, all, i * depth, apart, scratch);
            long vectors = ((long) (rows + MR - 1) / MR * MR * depth + LANES - 1) / LANES;
            try {
                Transforms.WEIGHTS.invokeExact(
                        MemorySegment.ofArray(g), apart * 4L, MemorySegment.ofArray(u), apart * 4L, vectors);
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        }

        private static void multiply(
                boolean add, MemorySegment a, MemorySegment b, MemorySegment c, int depth, int bands) {
            try {
                MachineKernels.GemmF32.MULTIPLY.invokeExact(a, b, c, (long) depth, (long) bands, add ? 1L : 0L);
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        }

        /** Takes a strip's sums to their places: at once where groups fit the picture, else by way of an array. */
        private void output(
                float[] sums, int at, int apart, float[] bias, int row, int rows, int strip, Scratch scratch) {
            int height = conv.y().dim(2), width = conv.y().dim(3), all = count * quads, begin = strip * PANEL_QUADS;
            int tall = 4 * QUAD_WIDTH, wide = PANEL_QUADS * tall; // floats of a group's outputs, and of a strip's, aside
            boolean whole = width % QUAD_WIDTH == 0 && height % 4 == 0 && all % VECTOR_QUADS == 0;
            float[] aside = whole ? null : scratch.floats(ScratchSlots.LINE, rows * wide);
            MemorySegment to =
                    whole ? y.asSlice((long) row * height * width * Float.BYTES) : MemorySegment.ofArray(aside);
            long channel = (whole ? (long) height * width : wide) * Float.BYTES;
            long line = (whole ? (long) width : QUAD_WIDTH) * Float.BYTES;
            long[] places = new long[VECTOR_QUADS];
            for (int half = 0; half < 2 && begin + VECTOR_QUADS * half < all; half++) {
                for (int g = 0; g < VECTOR_QUADS; g++) {
                    int group = VECTOR_QUADS * half + g;
                    places[g] = (whole ? outputOffset(begin + group, 0) : (long) group * tall) * Float.BYTES;
                }
                try {
                    Transforms.OUTPUT.invokeExact(
                            MachineKernels.segmentAt(sums, at + half * LANES),
                            MemorySegment.ofArray(places),
                            to,
                            apart * 4L,
                            (long) rows,
                            channel,
                            MachineKernels.segmentAt(bias, row),
                            line);
                } catch (Throwable e) {
                    throw MachineKernels.unexpected(e);
                }
            }
            if (!whole) for (int i = 0; i < rows; i++) copy(aside, i * wide, row + i, begin, all);
        }

        private void copy(float[] from, int at, int channel, int begin, int all) {
            int height = conv.y().dim(2), width = conv.y().dim(3);
            for (int g = 0; g < Math.min(PANEL_QUADS, all - begin); g++) {
                int left = (begin + g) % quads * QUAD_WIDTH, top = (first + (begin + g) / quads) % winograd.down() * 4;
                int n = Math.min(QUAD_WIDTH, width - left);
                for (int a = 0; a < Math.min(4, height - top); a++)
                    MemorySegment.copy(
                            from,
                            at + (g * 4 + a) * QUAD_WIDTH,
                            y,
                            ValueLayout.JAVA_FLOAT,
                            (outputOffset(begin + g, channel) + (long) a * width) * Float.BYTES,
                            n);
            }
        }

        /** Where a group's first output of a channel lies, in floats. */
        private long outputOffset(int group, int channel) {
            int height = conv.y().dim(2), width = conv.y().dim(3), line = first + group / quads;
            return (((long) (line / winograd.down()) * out() + channel) * height + line % winograd.down() * 4) * width
                    + group % quads * QUAD_WIDTH;
        }
    }

    /** Winograd's transforms: see {@link WinogradKernel}. Placed when the class is first used. */
    private static final class Transforms {
        private static final MemoryLayout P = ValueLayout.ADDRESS, L = ValueLayout.JAVA_LONG;
        private static final WinogradKernel F4 =
                new WinogradKernel(WinogradTransform.P, WinogradTransform.Q, MachineKernels.VECTOR_BITS);
        static final MethodHandle INPUT = MachineKernels.place(F4.input(), P, P, P, L, L, L, L);
        static final MethodHandle WEIGHTS = MachineKernels.place(F4.weights(), P, L, P, L, L);
        static final MethodHandle OUTPUT = MachineKernels.place(F4.output(), P, P, P, L, L, L, P, L);

        private Transforms() {}
    }
}
