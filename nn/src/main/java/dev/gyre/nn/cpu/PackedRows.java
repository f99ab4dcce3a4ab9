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

/** Packs the rows of a matrix into panels, interleaved as a {@link MicroKernel} reads A. */
@FunctionalInterface
public interface PackedRows {
    /** The layout of floats in tensors, which may begin at any address. */
    ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /**
     * Copies {@code matrix[row + i][from + k]} to {@code to[at + k · mr + i]}, for all k below {@code depth} and i
     * below the panel's rows, mr; rows beyond the matrix are left untouched.
     *
     * @param row a multiple of mr
     */
    void pack(int row, int from, int depth, float[] to, int at, Scratch scratch);

    /**
     * Packs a row-major matrix as it is read.
     *
     * @param mr rows of a panel
     * @param matrix [rows, columns]
     */
    static PackedRows of(int mr, Tensor matrix, int rows, int columns) {
        return (row, from, depth, to, at, scratch) -> {
            long begin = (long) row * columns + from;
            int count = Math.min(mr, rows - row);
            // If a mapped file is truncated, a read in Java throws; a read in machine code would kill the process.
            if (matrix.dtype() == DType.F32 && !matrix.data().isMapped())
                interleave(matrix.data(), begin, columns, count, depth, 1f, to, at, mr);
            else
                interleave(
                        (i, into, place) ->
                                matrix.read(begin + (long) i * columns, into, place, depth, scratch.shorts()),
                        count,
                        depth,
                        to,
                        at,
                        mr,
                        scratch);
        };
    }

    /** Supplies the rows of a panel. */
    interface Source {
        void read(int row, float[] to, int at);
    }

    /** Packs one panel of {@code count} rows. */
    static void interleave(Source from, int count, int depth, float[] to, int at, int mr, Scratch scratch) {
        float[] rows = scratch.floats(ScratchSlots.ROWS_TO_TRANSPOSE, 4 * depth);
        for (int i = 0; i < count; i += 4) {
            int n = Math.min(4, count - i);
            for (int j = 0; j < n; j++) from.read(i + j, rows, j * depth);
            interleave(MemorySegment.ofArray(rows), 0, depth, n, depth, 1f, to, at + i, mr);
        }
    }

    /**
     * Packs one panel of {@code count} rows from memory.
     *
     * @param begin the first row's first element
     * @param stride elements from one row to the next
     * @param scale multiplies every element
     */
    static void interleave(
            MemorySegment from, long begin, int stride, int count, int depth, float scale, float[] to, int at, int mr) {
        if (MachineMicroKernel.isAvailable()) {
            MachineElementwise.transpose(from, begin, stride, count, depth, scale, MemorySegment.ofArray(to), at, mr);
            return;
        }
        int i = 0;
        for (; i + 4 <= count; i += 4) {
            long a = begin + (long) i * stride, b = a + stride, c = b + stride, d = c + stride;
            for (int k = 0; k < depth; k++) {
                int place = at + k * mr + i;
                to[place] = from.getAtIndex(FLOAT, a + k) * scale;
                to[place + 1] = from.getAtIndex(FLOAT, b + k) * scale;
                to[place + 2] = from.getAtIndex(FLOAT, c + k) * scale;
                to[place + 3] = from.getAtIndex(FLOAT, d + k) * scale;
            }
        }
        for (; i < count; i++) {
            long a = begin + (long) i * stride;
            for (int k = 0; k < depth; k++) to[at + k * mr + i] = from.getAtIndex(FLOAT, a + k) * scale;
        }
    }

    /** A weight [rows, columns]: packed once for panels of mr rows, or read in place where memory is kept low. */
    static PackedRows ofWeight(JvmMemory memory, Value weight, int mr, int rows, int columns) {
        return memory.packed(weight, "panels of " + mr, (tensor, allocate) -> {
                    Tensor to = allocate.apply(tensor.dtype(), Shape.of((rows + mr - 1) / mr, columns, mr));
                    PackedRows from = of(mr, tensor, rows, columns);
                    Scratch scratch = new Scratch();
                    int step = Math.max(1, Math.min(columns, (1 << 15) / mr));
                    float[] block = new float[step * mr];
                    for (int row = 0; row < rows; row += mr)
                        for (int k = 0; k < columns; k += step) {
                            int n = Math.min(step, columns - k);
                            from.pack(row, k, n, block, 0, scratch);
                            long at = ((long) (row / mr) * columns + k) * mr;
                            to.write(block, 0, at, n * mr, scratch.shorts());
                        }
                    return to;
                })
                .map(PackedRows::packed)
                .orElseGet(() -> of(mr, memory.at(weight), rows, columns));
    }

    /**
     * Panels that are packed already, one after the other.
     *
     * @param packed [panels, columns, mr]
     */
    static PackedRows packed(Tensor packed) {
        int columns = packed.shape().dim(1), mr = packed.shape().dim(2);
        return (row, from, depth, to, at, scratch) -> {
            long begin = ((long) (row / mr) * columns + from) * mr;
            Elementwise.read(packed, begin, to, at, depth * mr, scratch);
        };
    }
}
