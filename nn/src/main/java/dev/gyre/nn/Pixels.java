package dev.gyre.nn;

import dev.gyre.core.Scratch;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A picture as a matrix [channels, batch · pixels].
 *
 * @param x [batch, channels, pixels]
 */
record Pixels(MemorySegment x, int channels, int pixels) implements Gemm.Right {
    @Override
    public void read(Tile tile, int from, int depth, int column, int count, float[][] to, int lines, Scratch scratch) {
        float[] line = scratch.floats(Scratches.GATHERED, count);
        for (int k = 0; k < depth; k++) {
            for (int done = 0; done < count; ) {
                int image = (column + done) / pixels, at = (column + done) % pixels;
                int n = Math.min(count - done, pixels - at);
                long place = ((long) image * channels + from + k) * pixels + at;
                MemorySegment.copy(x, ValueLayout.JAVA_FLOAT, place * Float.BYTES, line, done, n);
                done += n;
            }
            tile.put(line, 0, count, to, 0, lines, k, 0);
        }
    }
}
