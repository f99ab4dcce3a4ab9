package dev.gyre.nn.conv;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Scratch;
import dev.gyre.core.Workers;
import dev.gyre.nn.cpu.Bf16Pairs;
import dev.gyre.nn.cpu.GemmBf16;
import dev.gyre.nn.cpu.MachineBf16Kernel;
import dev.gyre.nn.cpu.MachineKernels;
import dev.gyre.nn.cpu.PackedBf16;
import dev.gyre.nn.cpu.ScratchSlots;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Optional;

/**
 * A convolution on bf16 as an indirect GEMM (Dukhan 2019): the im2col matrix is never made. Each pair of channels is
 * laid out with its padding, as in {@link Im2Col}; the elements that meet a tap are contiguous, so one offset for each
 * pair of channels and tap is all that the product needs. A few outputs beyond the end of a row are computed and
 * dropped.
 */
record Conv2dBf16(Conv2d conv) implements JvmKernel {
    /** Pairs of laid-out image that are kept at a time, so that they stay in the last-level cache. */
    private static final int PLANE_PAIRS = 4 << 20;

    /**
     * This algorithm where it is the fastest. Without AMX, Winograd's in float32 (four times fewer multiplications)
     * costs less than bf16 (twice as many at a time) and loses no precision.
     */
    static Optional<JvmKernel> of(Conv2d conv) {
        boolean winograd = !MachineKernels.AMX
                && Winograd.of(conv)
                        .filter(WinogradMachineCode.class::isInstance)
                        .isPresent();
        return winograd || Conv2dFewChannels.of(conv).isPresent()
                ? Optional.empty()
                : Optional.of(new Conv2dBf16(conv));
    }

    private int kernel() {
        return conv.weight().dim(2);
    }

    /** Whether a window is one pixel: then rows follow one another without a gap, here and in the output. */
    private boolean isPointwise() {
        return kernel() == 1
                && conv.stride() == 1
                && conv.padding() == 0
                && conv.y().dim(3) == conv.x().dim(3);
    }

    private int rows() {
        return conv.y().dim(2);
    }

    private int columns() {
        return conv.y().dim(3);
    }

    /** Rows and columns of the phase planes beyond those of the outputs. */
    private int extra() {
        return (kernel() - 1) / conv.stride();
    }

    private int pitch() {
        return columns() + extra();
    }

    private int pairs() {
        return Bf16Pairs.count(conv.x().dim(1));
    }

    @Override
    public void prepare(JvmMemory memory) {
        weights(memory, new MachineBf16Kernel());
    }

    private GemmBf16.LeftOperand weights(JvmMemory memory, MachineBf16Kernel micro) {
        int taps = kernel() * kernel();
        return new PackedBf16(
                        memory, conv.weight(), conv.y().dim(1), 2 * pairs() * taps, PackedBf16.Order.CHANNEL_PAIRS)
                .leftOperand(micro);
    }

    @Override
    public void run(JvmMemory memory, Workers workers) {
        int batch = conv.y().dim(0), rows = rows();
        long rowPairs = (long) pairs() * conv.stride() * conv.stride() * pitch();
        int maxRows = (int) Math.max(8, Math.min(rows, PLANE_PAIRS / rowPairs)); // rows of outputs
        int images = Math.max(1, Math.min(batch, (int) (PLANE_PAIRS / rowPairs / rows)));
        for (int image = 0; image < batch; image += images)
            for (int row = 0; row < rows; row += maxRows)
                new Chunk(memory, image, Math.min(images, batch - image), row, Math.min(maxRows, rows - row))
                        .run(workers);
    }

    /** Some rows of outputs of some images. */
    private final class Chunk {
        private final JvmMemory memory;
        private final int image;
        private final int images;
        private final int first;
        private final int rows;
        private final int plane; // pairs of one phase
        private final int phases = conv.stride() * conv.stride();
        private final float[] planes; // [images, pairs, phases, plane]
        private final MemorySegment x;
        private final MemorySegment y;

        Chunk(JvmMemory memory, int image, int images, int first, int rows) {
            this.memory = memory;
            this.image = image;
            this.images = images;
            this.first = first;
            this.rows = rows;
            // Not a multiple of 4 KiB: planes would compete for a few sets of the L1 cache.
            plane = ((rows + extra()) * pitch() + extra() + 63) / 64 * 64 + 16;
            // The last panel may read as much as a panel beyond.
            planes = memory.scratch().floats(0, images * pairs() * phases * plane + 64);
            x = memory.at(conv.x()).data();
            y = memory.at(conv.y()).data();
        }

        void run(Workers workers) {
            workers.run(images * pairs(), this::layOut);
            MachineBf16Kernel micro = new MachineBf16Kernel();
            int taps = kernel() * kernel(), k = pairs() * taps;
            // A panel belongs to one image.
            int panels = micro.panels(rows * pitch()), imageColumns = panels * micro.nr();
            long[] table = indirection(k);
            MemorySegment base = MemorySegment.ofArray(planes), places = MemorySegment.ofArray(table);
            GemmBf16.RightOperand right = (add, a, count, column, from, depth, c, scratch) -> {
                long at = (long) (column / imageColumns) * pairs() * phases * plane + column % imageColumns;
                multiply(micro, add, a, base.asSlice(at * 4), depth, c, count, places.asSlice(from * 8L), scratch);
            };
            boolean contiguous = isPointwise(); // rows without a gap are one row
            PaddedRowsOutput to = new PaddedRowsOutput(
                    y,
                    conv.y().dim(1),
                    rows() * columns(),
                    image,
                    first * columns(),
                    contiguous ? 1 : rows,
                    contiguous ? rows * columns() : columns(),
                    contiguous ? imageColumns : pitch(),
                    imageColumns,
                    memory.at(conv.bias()).floats());
            GemmBf16.run(micro, conv.y().dim(1), images * imageColumns, k, weights(memory, micro), right, to, workers);
        }

        private static void multiply(
                MachineBf16Kernel micro,
                boolean add,
                MemorySegment a,
                MemorySegment b,
                int depth,
                MemorySegment c,
                int rows,
                MemorySegment table,
                Scratch scratch) {
            try {
                if (MachineKernels.AMX) {
                    MemorySegment gathered =
                            MemorySegment.ofArray(scratch.floats(ScratchSlots.GATHERED, depth * micro.nr()));
                    MachineKernels.Gather.GATHER.invokeExact(b, gathered, (long) depth, table);
                    micro.multiply(add, a, gathered, depth, c, rows);
                } else
                    MachineKernels.IndirectGemmBf16.MULTIPLY.invokeExact(
                            a, b, c, (long) depth, (long) (micro.padded(rows) / micro.mr()), add ? 1L : 0L, table);
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        }

        /** For each pair of channels and tap, the offset in bytes at which the first output of an image meets it. */
        private long[] indirection(int k) {
            int kernel = kernel(), taps = kernel * kernel;
            long[] table = new long[k];
            for (int i = 0; i < k; i++)
                table[i] = 4
                        * ((long) i / taps * phases * plane
                                + Im2Col.tapOffset(i % taps, kernel, conv.stride(), plane, pitch()));
            return table;
        }

        /** Lays out a pair of channels. */
        private void layOut(int piece, Scratch scratch) {
            int channel = piece % pairs() * 2, in = conv.x().dim(1), at = image + piece / pairs();
            int height = conv.x().dim(2), width = conv.x().dim(3);
            int stride = conv.stride(), padding = conv.padding(), begin = piece * phases * plane;
            int channels = Math.min(2, in - channel);
            long from = ((long) at * in + channel) * height * width;
            if (isPointwise()) {
                MemorySegment source = x.asSlice((from + (long) first * width) * 4);
                Bf16Pairs.acrossRows(
                        source,
                        (long) height * width * 4,
                        MachineKernels.segmentAt(planes, begin),
                        0,
                        channels,
                        rows * width);
                return;
            }
            Arrays.fill(planes, begin, begin + phases * plane, 0f);
            float[] line = scratch.floats(ScratchSlots.LINE, width);
            int top = Math.max(0, first * stride - padding);
            int bottom = Math.min(height, (first + rows - 1) * stride - padding + kernel());
            for (int row = top; row < bottom; row++) {
                int down = row + padding - first * stride, place = begin + down / stride * pitch();
                MemorySegment source = x.asSlice((from + (long) row * width) * 4);
                if (stride == 1) {
                    int n = Math.min(width, pitch() - padding);
                    Bf16Pairs.acrossRows(
                            source,
                            (long) height * width * 4,
                            MachineKernels.segmentAt(planes, place + padding),
                            0,
                            channels,
                            n);
                    continue;
                }
                Bf16Pairs.acrossRows(
                        source, (long) height * width * 4, MemorySegment.ofArray(line), 0, channels, width);
                for (int phase = 0; phase < stride; phase++) {
                    int skipped = (phase - padding % stride + stride) % stride; // pixels before the first of this phase
                    int left = (skipped + padding) / stride;
                    int n = Math.min((width - skipped + stride - 1) / stride, pitch() - left);
                    int to = place + (down % stride * stride + phase) * plane + left;
                    for (int i = 0; i < n; i++) planes[to + i] = line[skipped + i * stride];
                }
            }
        }
    }
}
