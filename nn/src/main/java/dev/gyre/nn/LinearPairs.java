package dev.gyre.nn;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Workers;
import java.lang.foreign.MemorySegment;

/** A linear layer on bf16: its input is rounded as it is taken, a block of rows at a time. */
record LinearPairs(Linear op) implements JvmKernel {
    @Override
    public void prepare(JvmMemory memory) {
        weights(memory, new PairTile());
    }

    private PairGemm.Right weights(JvmMemory memory, PairTile tile) {
        return new PairWeights(memory, op.weight(), op.y().dim(1), op.x().dim(1), PairWeights.Order.PLAIN).right(tile);
    }

    @Override
    public void run(JvmMemory memory, Workers workers) {
        int rows = op.y().dim(0), in = op.x().dim(1), out = op.y().dim(1);
        PairTile tile = new PairTile();
        MemorySegment x = memory.at(op.x()).data();
        float[] bias = op.bias().map(b -> memory.at(b).floats()).orElseGet(() -> new float[out]);
        PairGemm.Left left = (row, count, from, depth, room, scratch) -> {
            MemorySegment pairs = MemorySegment.ofArray(room);
            MemorySegment at = x.asSlice(((long) row * in + 2L * from) * Float.BYTES);
            Pairs.rows(at, in * 4L, pairs, depth * 4L, count, Math.min(2 * depth, in - 2 * from));
            return pairs;
        };
        PairGemm.run(
                tile,
                rows,
                out,
                Pairs.of(in),
                left,
                weights(memory, tile),
                new RowMajor(memory.at(op.y()).data(), out, bias),
                workers);
    }
}
