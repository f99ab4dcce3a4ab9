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
 * {@link Winograd}'s F(4, 3) with its transforms in machine code, each along both dimensions at once: a channel is laid
 * out with its padding, its tiles are transformed while it is in a cache, and a panel's sums are transformed to outputs
 * while they are. Elements and order of operations are the same, so the bits are the same.
 *
 * <p>Vector lanes are tiles. Four neighbouring tiles of a row (16 pixels) are a quad, and a row of tiles is padded to
 * whole quads. How many tiles a vector holds changes which tiles are computed together, not the sums of any of them.
 */
record WinogradMachineCode(Conv2d conv, Winograd winograd) implements JvmKernel {
    private static final int POINTS = 36, KC = Winograd.KC, QUAD_WIDTH = 16;

    /** Tiles of a vector and of a panel; quads likewise. */
    private static final int LANES = MachineKernels.VECTOR_BITS / 32,
            NR = 2 * LANES,
            VECTOR_QUADS = LANES / 4,
            PANEL_QUADS = NR / 4;

    /**
     * Outputs of a block: their transformed weights take 432 KiB, half of a large L2 cache or nearly all of a small
     * one.
     */
    private static final int ROWS = 24;

    /**
     * Panels whose sums are kept where channels take more than one block: more would evict each other from the L2
     * cache.
     */
    private static final int CHUNK_PANELS = 4;

    private static final int MR = MachineKernels.GemmF32.MR;

    /**
     * Where panels begin in their array. A JVM that allocates large arrays in regions of their own places their floats
     * 16 bytes after a 64-byte cache line; from this offset on, a panel's rows are whole lines.
     */
    private static final int ALIGNED = 12;

    private int in() {
        return conv.x().dim(1);
    }

    private int out() {
        return conv.y().dim(1);
    }

    /** Quads of a row of tiles. */
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
        int maxRows = Math.max(1, Winograd.INPUT_FLOATS / POINTS / in() / (4 * quads())),
                chunks = (lines + maxRows - 1) / maxRows;
        for (int chunk = 0; chunk < chunks; chunk++) {
            int first = (int) ((long) lines * chunk / chunks), end = (int) ((long) lines * (chunk + 1) / chunks);
            new Chunk(memory, first, end - first).run(workers);
        }
    }

    /** Some rows of tiles of the batch, an image's below the previous one's. */
    private final class Chunk {
        private final JvmMemory memory;
        private final int first;
        private final int count;
        private final int quads = quads();
        private final int panels;
        private final int pitch = QUAD_WIDTH * quads + 4; // of a channel's padded rows
        private final int point = in() * NR + 16; // floats between points; not a multiple of 4 KiB
        private final float[] v; // from ALIGNED on: [panels, points, in, NR]
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
            long[] offsets = quadOffsets();
            workers.run(in(), (channel, scratch) -> input(channel, offsets, scratch));
            int blocks = (in() + KC - 1) / KC, step = blocks == 1 ? Math.max(CHUNK_PANELS, panels / 4) : CHUNK_PANELS;
            int parts = (panels + step - 1) / step, rowBlocks = (out() + ROWS - 1) / ROWS;
            Winograd.Taps taps = winograd.taps(memory, MR);
            float[] bias = memory.at(conv.bias()).floats();
            // All outputs of some tiles before the next tiles: their inputs are still in a cache.
            workers.run(rowBlocks * parts, (piece, scratch) -> {
                int row = piece % rowBlocks * ROWS, from = piece / rowBlocks * step;
                block(taps, bias, row, Math.min(ROWS, out() - row), from, Math.min(step, panels - from), scratch);
            });
        }

        /**
         * The offset of each quad in a channel's padded rows, in bytes; each image of the batch has rows of its own.
         */
        private long[] quadOffsets() {
            long[] offsets = new long[panels * PANEL_QUADS];
            for (int line = 0; line < count; line++)
                for (int g = 0; g < quads; g++)
                    offsets[line * quads + g] = ((long) firstPaddedRow(line) * pitch + g * QUAD_WIDTH) * Float.BYTES;
            return offsets;
        }

        /** The first padded row of a row of tiles: each but an image's first shares two with the one above. */
        private int firstPaddedRow(int line) {
            int images = (first + line) / winograd.down() - first / winograd.down();
            return 4 * line + 2 * images;
        }

        private void input(int channel, long[] offsets, Scratch scratch) {
            int height = conv.x().dim(2),
                    width = conv.x().dim(3),
                    padding = conv.padding(),
                    lines = firstPaddedRow(count - 1) + 6;
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
                        MemorySegment.ofArray(offsets),
                        MachineKernels.segmentAt(v, ALIGNED + channel * NR),
                        point * 4L,
                        POINTS * point * 4L,
                        (long) (count * quads + VECTOR_QUADS - 1) / VECTOR_QUADS,
                        pitch * 4L);
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        }

        private void block(Winograd.Taps taps, float[] bias, int row, int rows, int from, int panels, Scratch scratch) {
            int padded = (rows + MR - 1) / MR * MR, blocks = (in() + KC - 1) / KC;
            int stride = padded * NR + 16, size = POINTS * stride; // floats between points, and of a panel's sums
            float[] sums = scratch.floats(ScratchSlots.PANEL_SUMS, (blocks == 1 ? 1 : panels) * size);
            float[] u = scratch.floats(ScratchSlots.A_PANELS, POINTS * (padded * KC + 16));
            for (int block = 0; block < blocks; block++) {
                int depth = Math.min(KC, in() - block * KC), weights = padded * depth + 16;
                weights(taps, row, rows, block * KC, depth, u, weights, scratch);
                for (int s = 0; s < panels; s++) {
                    int to = blocks == 1 ? 0 : s * size;
                    for (int p = 0; p < POINTS; p++)
                        multiply(
                                block > 0,
                                MachineKernels.segmentAt(u, p * weights),
                                MachineKernels.segmentAt(
                                        v, ALIGNED + ((from + s) * POINTS + p) * point + block * KC * NR),
                                MachineKernels.segmentAt(sums, to + p * stride),
                                depth,
                                padded / MR);
                    if (block == blocks - 1) output(sums, to, stride, bias, row, rows, from + s, scratch);
                }
            }
        }

        /** Transforms the weights of some outputs and channels; points are {@code stride} floats apart. */
        private void weights(
                Winograd.Taps taps, int row, int rows, int channel, int depth, float[] u, int stride, Scratch scratch) {
            float[] g = scratch.floats(ScratchSlots.KEYS, 9 * stride);
            float[][] tapArrays = new float[9][];
            Arrays.fill(tapArrays, g);
            for (int i = 0; i < rows; i += MR)
                taps.pack(row + i, channel, depth, tapArrays, i * depth, stride, scratch);
            long vectors = ((long) (rows + MR - 1) / MR * MR * depth + LANES - 1) / LANES;
            try {
                Transforms.WEIGHTS.invokeExact(
                        MemorySegment.ofArray(g), stride * 4L, MemorySegment.ofArray(u), stride * 4L, vectors);
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        }

        private static void multiply(
                boolean add, MemorySegment a, MemorySegment b, MemorySegment c, int depth, int panels) {
            try {
                MachineKernels.GemmF32.MULTIPLY.invokeExact(a, b, c, (long) depth, (long) panels, add ? 1L : 0L);
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        }

        /**
         * Transforms a panel's sums to outputs: straight to y where quads fit the image, otherwise through an array.
         */
        private void output(
                float[] sums, int at, int stride, float[] bias, int row, int rows, int panel, Scratch scratch) {
            int height = conv.y().dim(2),
                    width = conv.y().dim(3),
                    quadCount = count * quads,
                    begin = panel * PANEL_QUADS;
            int quadFloats = 4 * QUAD_WIDTH,
                    panelFloats = PANEL_QUADS * quadFloats; // floats of a quad's outputs and of a panel's in the array
            boolean direct = width % QUAD_WIDTH == 0 && height % 4 == 0 && quadCount % VECTOR_QUADS == 0;
            float[] buffer = direct ? null : scratch.floats(ScratchSlots.LINE, rows * panelFloats);
            MemorySegment to =
                    direct ? y.asSlice((long) row * height * width * Float.BYTES) : MemorySegment.ofArray(buffer);
            long channel = (direct ? (long) height * width : panelFloats) * Float.BYTES;
            long line = (direct ? (long) width : QUAD_WIDTH) * Float.BYTES;
            long[] offsets = new long[VECTOR_QUADS];
            for (int half = 0; half < 2 && begin + VECTOR_QUADS * half < quadCount; half++) {
                for (int g = 0; g < VECTOR_QUADS; g++) {
                    int quad = VECTOR_QUADS * half + g;
                    offsets[g] = (direct ? outputOffset(begin + quad, 0) : (long) quad * quadFloats) * Float.BYTES;
                }
                try {
                    Transforms.OUTPUT.invokeExact(
                            MachineKernels.segmentAt(sums, at + half * LANES),
                            MemorySegment.ofArray(offsets),
                            to,
                            stride * 4L,
                            (long) rows,
                            channel,
                            MachineKernels.segmentAt(bias, row),
                            line);
                } catch (Throwable e) {
                    throw MachineKernels.unexpected(e);
                }
            }
            if (!direct) for (int i = 0; i < rows; i++) copy(buffer, i * panelFloats, row + i, begin, quadCount);
        }

        private void copy(float[] from, int at, int channel, int begin, int quadCount) {
            int height = conv.y().dim(2), width = conv.y().dim(3);
            for (int g = 0; g < Math.min(PANEL_QUADS, quadCount - begin); g++) {
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

        /** The offset of a quad's first output of a channel, in floats. */
        private long outputOffset(int quad, int channel) {
            int height = conv.y().dim(2), width = conv.y().dim(3), line = first + quad / quads;
            return (((long) (line / winograd.down()) * out() + channel) * height + line % winograd.down() * 4) * width
                    + quad % quads * QUAD_WIDTH;
        }
    }

    /** Winograd's transforms: see {@link WinogradKernel}. Placed when this class is initialized. */
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
