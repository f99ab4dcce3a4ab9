package dev.gyre.nn.cpu;

import dev.gyre.core.DType;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Scratch;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import java.lang.foreign.MemorySegment;

/**
 * A weight [rows, numbers] rounded to {@link Bf16Pairs} along its rows, packed once as one side of a {@link GemmBf16}; where memory is
 * kept low, rounded as it is read.
 *
 * @param rows of the weight
 * @param elements in a row
 * @param order in which a row's numbers are taken
 */
public record PackedBf16(JvmMemory memory, Value weight, int rows, int elements, Order order) {
    /** How a row of the weight is read. */
    public enum Order {
        ROWS,
        /** A convolution's [in, taps] become [in / 2, taps, 2]: pairs are of neighbouring channels. An odd channel's partner is zero. */
        CHANNEL_PAIRS
    }

    private int pairs() {
        return Bf16Pairs.count(elements);
    }

    /** As the left side: bands of rows, panel after panel. */
    public GemmBf16.LeftOperand leftOperand(MachineBf16Kernel tile) {
        int k = pairs(), padded = tile.padded(rows);
        return memory.packed(weight, "pairs of " + order + " in bands of " + tile.mr(), (tensor, allocate) -> {
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

    /** As the right side, whose columns are the weight's rows: strip after strip. */
    public GemmBf16.RightOperand rightOperand(MachineBf16Kernel tile) {
        int k = pairs(), strip = tile.nr();
        return memory.packed(weight, "pairs of " + order + " in strips of " + strip, (tensor, allocate) -> {
                    Tensor to = allocate.apply(DType.BF16, Shape.of(tile.panels(rows), k, strip, 2));
                    Scratch scratch = new Scratch();
                    float[] block = new float[k * strip];
                    for (int first = 0; first < rows; first += strip) {
                        packPanel(tensor, first, strip, 0, k, block, scratch);
                        MemorySegment.copy(
                                MemorySegment.ofArray(block),
                                0,
                                to.data(),
                                (long) first * k * Float.BYTES,
                                (long) k * strip * Float.BYTES);
                    }
                    return to;
                })
                .<GemmBf16.RightOperand>map(packed -> (add, a, count, column, from, depth, c, scratch) -> tile.multiply(
                        add,
                        a,
                        packed.data().asSlice(((long) column * k + (long) from * strip) * Float.BYTES),
                        depth,
                        c,
                        count))
                .orElseGet(() -> (add, a, count, column, from, depth, c, scratch) -> {
                    float[] block = scratch.floats(ScratchSlots.GATHERED, depth * strip);
                    packPanel(memory.at(weight), column, strip, from, depth, block, scratch);
                    tile.multiply(add, a, MemorySegment.ofArray(block), depth, c, count);
                });
    }

    private void packPanel(Tensor tensor, int first, int strip, int from, int depth, float[] to, Scratch scratch) {
        float[] line = scratch.floats(ScratchSlots.LINE, pairs());
        PackedRows.interleave(
                (i, rows, at) -> {
                    read(tensor, first + i, line, scratch);
                    System.arraycopy(line, from, rows, at, depth);
                },
                Math.min(strip, rows - first),
                depth,
                to,
                0,
                strip,
                scratch);
    }

    /** One row in pairs. */
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

    /** Numbers of a row as they are stored. */
    private int elements(Tensor tensor) {
        return tensor.shape().elements() / rows;
    }
}
