package dev.gyre.nn.attention;

import dev.gyre.nn.cpu.Bf16Pairs;
import dev.gyre.nn.cpu.Elementwise;
import dev.gyre.nn.cpu.Exp;
import dev.gyre.nn.cpu.PackedRows;
import dev.gyre.nn.cpu.ScratchSlots;
import java.lang.foreign.MemorySegment;

/** Packs {@link FlashAttention}'s operands as bf16 pairs: of channels for the scores, of keys for the values. */
record FlashAttentionBf16(FlashAttention block) implements FlashAttention.Packing {
    @Override
    public int elements(int numbers) {
        return Bf16Pairs.count(numbers);
    }

    @Override
    public void queries(float[][] to, int arrays, float scale) {
        int depth = block.depth, pairs = Bf16Pairs.count(depth), n = block.n, nr = block.micro.nr();
        float[] floats = block.scratch.floats(ScratchSlots.A_PANEL, n * depth);
        for (int i = 0; i < n; i++)
            Elementwise.read(block.queries, block.offset(block.op.q(), block.first + i), floats, i * depth, depth);
        float factor = scale * Exp.LOG2_E; // the softmax uses base 2
        for (int i = 0; i < n * depth; i++) floats[i] *= factor;
        float[] rows = block.scratch.floats(ScratchSlots.GATHERED, n * pairs);
        Bf16Pairs.alongRows(
                MemorySegment.ofArray(floats), depth * 4L, MemorySegment.ofArray(rows), pairs * 4L, n, depth);
        MemorySegment from = MemorySegment.ofArray(rows);
        for (int i = 0; i < block.panels; i++) {
            int first = i * nr, count = Math.min(nr, n - first);
            PackedRows.interleave(from, (long) first * pairs, pairs, count, pairs, 1f, to[i * arrays], 0, nr);
        }
    }

    @Override
    public void keys(int at, int count, float[] to) {
        int pairs = Bf16Pairs.count(block.depth);
        MemorySegment from = block.keys.asSlice(block.offset(block.op.k(), at) * Float.BYTES);
        Bf16Pairs.alongRows(from, block.width * 4L, MemorySegment.ofArray(to), pairs * 4L, count, block.depth);
    }

    @Override
    public void values(int at, int count, int mr, float[] to) {
        int depth = block.depth, pairs = Bf16Pairs.count(count);
        float[] rows = block.scratch.floats(ScratchSlots.A_PANEL, pairs * depth);
        MemorySegment from = block.values.asSlice(block.offset(block.op.v(), at) * Float.BYTES);
        Bf16Pairs.acrossRows(from, block.width * 4L, MemorySegment.ofArray(rows), depth * 4L, count, depth);
        PackedRows.interleave(MemorySegment.ofArray(rows), 0, depth, pairs, depth, 1f, to, 0, pairs);
    }
}
