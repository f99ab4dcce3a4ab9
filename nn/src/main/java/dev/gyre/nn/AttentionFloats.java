package dev.gyre.nn;

import dev.gyre.core.Value;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What {@link AttentionBlock} multiplies, as floats. */
record AttentionFloats(AttentionBlock block) implements AttentionBlock.Loading {
    @Override
    public int elements(int numbers) {
        return numbers;
    }

    @Override
    public void queries(float[][] to, int lines, float scale) {
        Tile tile = block.tile;
        Bands columns = (row, channel, count, place, at, unused) -> Bands.interleave(
                (i, line) -> {
                    long begin = block.place(block.op.q(), block.first + row + i) + (long) channel * Float.BYTES;
                    MemorySegment.copy(block.queries, ValueLayout.JAVA_FLOAT, begin, line, 0, count);
                    for (int c = 0; c < count; c++) line[c] *= scale;
                },
                Math.min(tile.strip(), block.n - row),
                count,
                place,
                at,
                tile.strip(),
                block.scratch);
        for (int strip = 0; strip < block.strips; strip++)
            tile.fill(columns, strip * tile.strip(), 0, block.depth, to, strip * lines, block.scratch);
    }

    @Override
    public void keys(int at, int count, float[] to) {
        int band = block.tile.rows();
        for (int j = 0; j < count; j += band) {
            int first = at + j;
            Bands.interleave(
                    (i, row) -> read(block.keys, block.op.k(), first + i, row),
                    Math.min(band, count - j),
                    block.depth,
                    to,
                    j * block.depth,
                    band,
                    block.scratch);
        }
    }

    @Override
    public void values(int at, int count, int band, float[] to) {
        int depth = block.depth;
        float[] row = block.scratch.floats(Scratches.LINE, depth + band);
        for (int j = 0; j < count; j++) {
            read(block.values, block.op.v(), at + j, row);
            for (int c = 0; c < depth; c += band) System.arraycopy(row, c, to, c * count + j * band, band);
        }
    }

    private void read(MemorySegment from, Value of, int row, float[] to) {
        MemorySegment.copy(from, ValueLayout.JAVA_FLOAT, block.place(of, row), to, 0, block.depth);
    }
}
