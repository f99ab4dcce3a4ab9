package dev.gyre.nn.cpu;

import dev.gyre.core.DType;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Scratch;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import java.lang.foreign.MemorySegment;

/**
 * A weight [rows, elements] rounded to {@link Bf16Pairs} along its rows and packed once as an operand of {@link
 * GemmBf16}; rounded at every read where memory is kept low.
 *
 * @param rows rows of the weight
 * @param elements elements in a row
 * @param order the order in which a row is read
 */
public record PackedBf16(JvmMemory memory, Value weight, int rows, int elements, Order order) {
    /** The order in which a row of the weight is read. */
    public enum Order {
        ROWS,
        /**
         * A convolution's [in, taps] become [in / 2, taps, 2], so that neighbouring channels form pairs. An odd last
         * channel is paired with zero.
         */
        CHANNEL_PAIRS
    }

    private int pairs() {
        return Bf16Pairs.count(elements);
    }

    /** As the left operand: panels of rows, block after block along K. */
    public GemmBf16.LeftOperand leftOperand(MachineBf16Kernel micro) {
        int k = pairs(), padded = micro.padded(rows);
        return memory.packed(weight, "pairs of " + order + " in A panels of " + micro.mr(), (tensor, allocate) -> {
                    Tensor to = allocate.apply(DType.BF16, Shape.of(padded, k, 2));
                    Scratch scratch = new Scratch();
                    float[] line = new float[k];
                    for (int row = 0; row < rows; row++) {
                        read(tensor, row, line, scratch);
                        for (int i = 0; i < GemmBf16.kBlocks(k); i++) {
                            int from = GemmBf16.kBegin(k, i), depth = GemmBf16.kBegin(k, i + 1) - from;
                            MemorySegment.copy(
                                    MemorySegment.ofArray(line),
                                    from * 4L,
                                    to.data(),
                                    byteOffset(padded, from, row, depth),
                                    depth * 4L);
                        }
                    }
                    return to;
                })
                .<GemmBf16.LeftOperand>map(packed -> (row, count, from, depth, room, scratch) ->
                        packed.data().asSlice(byteOffset(padded, from, row, depth)))
                .orElseGet(() -> (row, count, from, depth, room, scratch) -> {
                    float[] line = scratch.floats(ScratchSlots.LINE, k);
                    for (int i = 0; i < count; i++) {
                        read(memory.at(weight), row + i, line, scratch);
                        System.arraycopy(line, from, room, i * depth, depth);
                    }
                    return MemorySegment.ofArray(room);
                });
    }

    private static long byteOffset(int padded, int from, int row, int depth) {
        return ((long) padded * from + (long) row * depth) * Float.BYTES;
    }

    /** As the right operand, whose columns are the weight's rows: panel after panel. */
    public GemmBf16.RightOperand rightOperand(MachineBf16Kernel micro) {
        int k = pairs(), nr = micro.nr();
        return memory.packed(weight, "pairs of " + order + " in B panels of " + nr, (tensor, allocate) -> {
                    Tensor to = allocate.apply(DType.BF16, Shape.of(micro.panels(rows), k, nr, 2));
                    Scratch scratch = new Scratch();
                    float[] block = new float[k * nr];
                    for (int first = 0; first < rows; first += nr) {
                        packPanel(tensor, first, nr, 0, k, block, scratch);
                        MemorySegment.copy(
                                MemorySegment.ofArray(block),
                                0,
                                to.data(),
                                (long) first * k * Float.BYTES,
                                (long) k * nr * Float.BYTES);
                    }
                    return to;
                })
                .<GemmBf16.RightOperand>map(
                        packed -> (add, a, count, column, from, depth, c, scratch) -> micro.multiply(
                                add,
                                a,
                                packed.data().asSlice(((long) column * k + (long) from * nr) * Float.BYTES),
                                depth,
                                c,
                                count))
                .orElseGet(() -> (add, a, count, column, from, depth, c, scratch) -> {
                    float[] block = scratch.floats(ScratchSlots.GATHERED, depth * nr);
                    packPanel(memory.at(weight), column, nr, from, depth, block, scratch);
                    micro.multiply(add, a, MemorySegment.ofArray(block), depth, c, count);
                });
    }

    private void packPanel(Tensor tensor, int first, int nr, int from, int depth, float[] to, Scratch scratch) {
        float[] line = scratch.floats(ScratchSlots.LINE, pairs());
        PackedRows.interleave(
                (i, rows, at) -> {
                    read(tensor, first + i, line, scratch);
                    System.arraycopy(line, from, rows, at, depth);
                },
                Math.min(nr, rows - first),
                depth,
                to,
                0,
                nr,
                scratch);
    }

    /** Reads one row as pairs. */
    private void read(Tensor tensor, int row, float[] to, Scratch scratch) {
        float[] line = scratch.floats(ScratchSlots.A_PANEL, elements);
        tensor.read((long) row * elements(tensor), line, 0, elements(tensor), scratch.shorts());
        MemorySegment from = MemorySegment.ofArray(line), pairs = MemorySegment.ofArray(to);
        if (order == Order.ROWS) Bf16Pairs.alongRows(from, 0, pairs, 0, 1, elements);
        else {
            int in = weight.dim(1), taps = weight.dim(2) * weight.dim(3);
            Bf16Pairs.acrossRows(from, taps * 4L, pairs, taps * 4L, in, taps);
        }
    }

    /** Elements of a row in the checkpoint. */
    private int elements(Tensor tensor) {
        return tensor.shape().elements() / rows;
    }
}
