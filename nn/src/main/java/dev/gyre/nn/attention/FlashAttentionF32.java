package dev.gyre.nn.attention;

import dev.gyre.nn.cpu.MachineElementwise;
import dev.gyre.nn.cpu.MachineMicroKernel;
import dev.gyre.nn.cpu.MicroKernel;
import dev.gyre.nn.cpu.PackedRows;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What {@link FlashAttention} multiplies, as floats. */
record FlashAttentionF32(FlashAttention block) implements FlashAttention.Loading {
    @Override
    public int elements(int numbers) {
        return numbers;
    }

    @Override
    public void queries(float[][] to, int lines, float scale) {
        MicroKernel tile = block.tile;
        long begin = block.place(block.op.q(), block.first);
        PackedRows columns = (row, channel, count, place, at, unused) -> PackedRows.interleave(
                block.queries,
                begin + (long) row * block.width + channel,
                block.width,
                Math.min(tile.strip(), block.n - row),
                count,
                scale,
                place,
                at,
                tile.strip());
        for (int strip = 0; strip < block.strips; strip++)
            tile.fill(columns, strip * tile.strip(), 0, block.depth, to, strip * lines, block.scratch);
    }

    @Override
    public void keys(int at, int count, float[] to) {
        int band = block.tile.rows(), depth = block.depth, width = block.width;
        long begin = block.place(block.op.k(), at);
        for (int j = 0; j < count; j += band) {
            int n = Math.min(band, count - j);
            PackedRows.interleave(block.keys, begin + (long) j * width, width, n, depth, 1f, to, j * depth, band);
        }
    }

    @Override
    public void values(int at, int count, int band, float[] to) {
        MemorySegment values = block.values;
        int depth = block.depth;
        long begin = block.place(block.op.v(), at);
        for (int c = 0; c < depth; c += band) {
            int n = Math.min(band, depth - c);
            if (n == band && MachineMicroKernel.isThere()) {
                MachineElementwise.bands(values, begin + c, block.width, count, to, c * count);
                continue;
            }
            for (int j = 0; j < count; j++) {
                long from = begin + (long) j * block.width + c;
                int place = c * count + j * band;
                for (int i = 0; i < n; i++) to[place + i] = values.getAtIndex(ValueLayout.JAVA_FLOAT, from + i);
            }
        }
    }
}
