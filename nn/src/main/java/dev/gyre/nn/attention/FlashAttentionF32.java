package dev.gyre.nn.attention;

import dev.gyre.nn.cpu.MachineElementwise;
import dev.gyre.nn.cpu.MachineMicroKernel;
import dev.gyre.nn.cpu.MicroKernel;
import dev.gyre.nn.cpu.PackedRows;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Packs {@link FlashAttention}'s operands as floats. */
record FlashAttentionF32(FlashAttention block) implements FlashAttention.Packing {
    @Override
    public int elements(int numbers) {
        return numbers;
    }

    @Override
    public void queries(float[][] to, int arrays, float scale) {
        MicroKernel micro = block.micro;
        long begin = block.offset(block.op.q(), block.first);
        PackedRows columns = (row, channel, count, place, at, unused) -> PackedRows.interleave(
                block.queries,
                begin + (long) row * block.width + channel,
                block.width,
                Math.min(micro.nr(), block.n - row),
                count,
                scale,
                place,
                at,
                micro.nr());
        for (int panel = 0; panel < block.panels; panel++)
            micro.packPanel(columns, panel * micro.nr(), 0, block.depth, to, panel * arrays, block.scratch);
    }

    @Override
    public void keys(int at, int count, float[] to) {
        int mr = block.micro.mr(), depth = block.depth, width = block.width;
        long begin = block.offset(block.op.k(), at);
        for (int j = 0; j < count; j += mr) {
            int n = Math.min(mr, count - j);
            PackedRows.interleave(block.keys, begin + (long) j * width, width, n, depth, 1f, to, j * depth, mr);
        }
    }

    @Override
    public void values(int at, int count, int mr, float[] to) {
        MemorySegment values = block.values;
        int depth = block.depth;
        long begin = block.offset(block.op.v(), at);
        for (int c = 0; c < depth; c += mr) {
            int n = Math.min(mr, depth - c);
            if (n == mr && MachineMicroKernel.isAvailable()) {
                MachineElementwise.packRows(values, begin + c, block.width, count, to, c * count);
                continue;
            }
            for (int j = 0; j < count; j++) {
                long from = begin + (long) j * block.width + c;
                int place = c * count + j * mr;
                for (int i = 0; i < n; i++) to[place + i] = values.getAtIndex(ValueLayout.JAVA_FLOAT, from + i);
            }
        }
    }
}
