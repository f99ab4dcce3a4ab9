package dev.gyre.nn.linear;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Workers;
import dev.gyre.nn.cpu.Bf16Pairs;
import dev.gyre.nn.cpu.GemmBf16;
import dev.gyre.nn.cpu.MachineBf16Kernel;
import dev.gyre.nn.cpu.PackedBf16;
import java.lang.foreign.MemorySegment;

/** A linear layer on bf16: its input is rounded as it is packed, a block of rows at a time. */
record LinearBf16(Linear op) implements JvmKernel {
    @Override
    public void prepare(JvmMemory memory) {
        weights(memory, new MachineBf16Kernel());
    }

    private GemmBf16.RightOperand weights(JvmMemory memory, MachineBf16Kernel micro) {
        return new PackedBf16(memory, op.weight(), op.y().dim(1), op.x().dim(1), PackedBf16.Order.ROWS)
                .rightOperand(micro);
    }

    @Override
    public void run(JvmMemory memory, Workers workers) {
        int rows = op.y().dim(0), in = op.x().dim(1), out = op.y().dim(1);
        MachineBf16Kernel micro = new MachineBf16Kernel();
        MemorySegment x = memory.at(op.x()).data();
        float[] bias = op.bias().map(b -> memory.at(b).floats()).orElseGet(() -> new float[out]);
        GemmBf16.LeftOperand left = (row, count, from, depth, room, scratch) -> {
            MemorySegment pairs = MemorySegment.ofArray(room);
            MemorySegment at = x.asSlice(((long) row * in + 2L * from) * Float.BYTES);
            Bf16Pairs.alongRows(at, in * 4L, pairs, depth * 4L, count, Math.min(2 * depth, in - 2 * from));
            return pairs;
        };
        GemmBf16.run(
                micro,
                rows,
                out,
                Bf16Pairs.count(in),
                left,
                weights(memory, micro),
                new RowMajorOutput(memory.at(op.y()).data(), out, bias),
                workers);
    }
}
