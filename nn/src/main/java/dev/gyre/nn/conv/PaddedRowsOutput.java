package dev.gyre.nn.conv;

import dev.gyre.nn.cpu.Gemm;
import dev.gyre.nn.cpu.MachineKernels;
import dev.gyre.nn.cpu.PanelOutput;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A product whose rows are channels and whose columns are lines of windows, some of each picture one below the other: what lies beyond a
 * line's end, or below a picture's lines, was computed and is dropped.
 *
 * @param y [batch, channels, size]
 * @param size floats of a channel
 * @param image the first picture's number
 * @param offset floats of a channel before the first line
 * @param lines of every picture that are computed
 * @param width floats of a line
 * @param pitch columns of the product that a line takes
 * @param wide columns that a picture takes
 * @param bias added to each channel, [channels]
 */
record PaddedRowsOutput(
        MemorySegment y,
        int channels,
        int size,
        int image,
        int offset,
        int lines,
        int width,
        int pitch,
        int wide,
        float[] bias)
        implements Gemm.Out, PanelOutput {

    /** What is done with neighbours that belong to one line: {@code n} columns from {@code skip} on go to {@code to}, in floats. */
    private interface Part {
        void store(int skip, int n, long to);
    }

    @Override
    public void store(int channel, int column, int count, float[] from) {
        float more = bias[channel];
        for (int i = 0; i < count; i++) from[i] += more;
        parts(
                channel,
                column,
                count,
                (skip, n, to) -> MemorySegment.copy(from, skip, y, ValueLayout.JAVA_FLOAT, to * Float.BYTES, n));
    }

    @Override
    public void store(MemorySegment strip, int channel, int rows, int column, int count) {
        long apart = (long) size * Float.BYTES;
        parts(channel, column, count, (skip, n, to) -> {
            MemorySegment from = strip.asSlice((long) skip * Float.BYTES), at = y.asSlice(to * Float.BYTES);
            try {
                MachineKernels.Store.PER_ROW.invokeExact(
                        from, at, (long) rows, (long) n, apart, MachineKernels.at(bias, channel));
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        });
    }

    private void parts(int channel, int column, int count, Part part) {
        for (int n, done = 0; done < count; done += n) {
            int picture = (column + done) / wide, within = (column + done) % wide;
            int line = within / pitch, at = within % pitch;
            n = Math.min(Math.min(count - done, pitch - at), wide - within);
            int keep = line < lines ? Math.min(n, width - at) : 0;
            if (keep > 0)
                part.store(
                        done,
                        keep,
                        ((long) (image + picture) * channels + channel) * size + offset + line * width + at);
        }
    }
}
