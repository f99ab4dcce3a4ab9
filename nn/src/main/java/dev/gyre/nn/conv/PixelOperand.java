package dev.gyre.nn.conv;

import dev.gyre.core.Scratch;
import dev.gyre.nn.cpu.Gemm;
import dev.gyre.nn.cpu.MicroKernel;
import java.lang.foreign.MemorySegment;

/**
 * An image as the matrix [channels, batch · pixels].
 *
 * @param x [batch, channels, pixels]
 */
record PixelOperand(MemorySegment x, int channels, int pixels) implements Gemm.RightOperand {
    @Override
    public void pack(
            MicroKernel micro, int from, int depth, int column, int count, float[][] to, int arrays, Scratch scratch) {
        for (int n, done = 0; done < count; done += n) {
            int image = (column + done) / pixels, at = (column + done) % pixels;
            n = Math.min(count - done, pixels - at);
            long place = ((long) image * channels + from) * pixels + at;
            micro.packRows(x, place, pixels, depth, to, arrays, done, n, scratch);
        }
    }
}
