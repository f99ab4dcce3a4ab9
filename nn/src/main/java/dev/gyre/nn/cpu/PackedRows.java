package dev.gyre.nn.cpu;

import dev.gyre.core.DType;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Scratch;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** The rows of a matrix, some at a time and interleaved, as a {@link MicroKernel} reads them. */
@FunctionalInterface
public interface PackedRows {
    /** As tensors hold them, which may begin anywhere. */
    ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /**
     * Copies {@code matrix[row + i][from + k]} to {@code to[at + k · band + i]}, for all k below {@code depth} and i below the size of
     * a band; rows beyond the matrix are left as they were.
     *
     * @param row a multiple of the band's size
     */
    void pack(int row, int from, int depth, float[] to, int at, Scratch scratch);

    /**
     * Interleaves a row-major matrix as it is read.
     *
     * @param band rows of a band
     * @param matrix [rows, columns]
     */
    static PackedRows of(int band, Tensor matrix, int rows, int columns) {
        return (row, from, depth, to, at, scratch) -> {
            long begin = (long) row * columns + from;
            int count = Math.min(band, rows - row);
            // A file that is cut short while it is mapped is an error where Java reads it, and the process's end in
            // machine code.
            if (matrix.dtype() == DType.F32 && !matrix.data().isMapped())
                interleave(matrix.data(), begin, columns, count, depth, 1f, to, at, band);
            else
                interleave(
                        (i, lines, place) ->
                                matrix.read(begin + (long) i * columns, lines, place, depth, scratch.shorts()),
                        count,
                        depth,
                        to,
                        at,
                        band,
                        scratch);
        };
    }

    /** Where a band's rows come from. */
    interface Source {
        void read(int row, float[] to, int at);
    }

    /** Makes one band of {@code count} rows. */
    static void interleave(Source from, int count, int depth, float[] to, int at, int band, Scratch scratch) {
        float[] lines = scratch.floats(ScratchSlots.ROWS_TO_TRANSPOSE, 4 * depth);
        for (int i = 0; i < count; i += 4) {
            int n = Math.min(4, count - i);
            for (int j = 0; j < n; j++) from.read(i + j, lines, j * depth);
            interleave(MemorySegment.ofArray(lines), 0, depth, n, depth, 1f, to, at + i, band);
        }
    }

    /**
     * Makes one band of {@code count} rows that lie in memory.
     *
     * @param begin the first row's first element
     * @param apart elements from one row to the next
     * @param scale of every element
     */
    static void interleave(
            MemorySegment from,
            long begin,
            int apart,
            int count,
            int depth,
            float scale,
            float[] to,
            int at,
            int band) {
        if (MachineMicroKernel.isAvailable()) {
            MachineElementwise.transpose(from, begin, apart, count, depth, scale, MemorySegment.ofArray(to), at, band);
            return;
        }
        int i = 0;
        for (; i + 4 <= count; i += 4) {
            long a = begin + (long) i * apart, b = a + apart, c = b + apart, d = c + apart;
            for (int k = 0; k < depth; k++) {
                int place = at + k * band + i;
                to[place] = from.getAtIndex(FLOAT, a + k) * scale;
                to[place + 1] = from.getAtIndex(FLOAT, b + k) * scale;
                to[place + 2] = from.getAtIndex(FLOAT, c + k) * scale;
                to[place + 3] = from.getAtIndex(FLOAT, d + k) * scale;
            }
        }
        for (; i < count; i++) {
            long a = begin + (long) i * apart;
            for (int k = 0; k < depth; k++) to[at + k * band + i] = from.getAtIndex(FLOAT, a + k) * scale;
        }
    }

    /**
     * A weight [rows, columns]: as it was packed for bands of this size, or where memory is kept low as it lies.
     */
    static PackedRows ofWeight(JvmMemory memory, Value weight, int band, int rows, int columns) {
        return memory.packed(weight, "bands of " + band, (tensor, allocate) -> {
                    Tensor to = allocate.apply(tensor.dtype(), Shape.of((rows + band - 1) / band, columns, band));
                    PackedRows from = of(band, tensor, rows, columns);
                    Scratch scratch = new Scratch();
                    int some = Math.max(1, Math.min(columns, (1 << 15) / band));
                    float[] block = new float[some * band];
                    for (int row = 0; row < rows; row += band)
                        for (int k = 0; k < columns; k += some) {
                            int n = Math.min(some, columns - k);
                            from.pack(row, k, n, block, 0, scratch);
                            long at = ((long) (row / band) * columns + k) * band;
                            to.write(block, 0, at, n * band, scratch.shorts());
                        }
                    return to;
                })
                .map(PackedRows::packed)
                .orElseGet(() -> of(band, memory.at(weight), rows, columns));
    }

    /**
     * Bands that were stored one after the other.
     *
     * @param packed [bands, columns, band]
     */
    static PackedRows packed(Tensor packed) {
        int columns = packed.shape().dim(1), band = packed.shape().dim(2);
        return (row, from, depth, to, at, scratch) -> {
            long begin = ((long) (row / band) * columns + from) * band;
            Elementwise.read(packed, begin, to, at, depth * band, scratch);
        };
    }
}
