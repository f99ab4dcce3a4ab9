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
 * @param rows of every picture that are computed
 * @param width floats of a line
 * @param pitch columns of the product that a line takes
 * @param imageColumns columns that a picture takes
 * @param bias added to each channel, [channels]
 */
record PaddedRowsOutput(
        MemorySegment y,
        int channels,
        int size,
        int image,
        int offset,
        int rows,
        int width,
        int pitch,
        int imageColumns,
        float[] bias)
        implements Gemm.Output, PanelOutput {

    /** What is done with neighbours that belong to one line: {@code n} columns from {@code skip} on go to {@code to}, in floats. */
    private interface Run {
        void store(int skip, int n, long to);
    }

    @Override
    public void store(int channel, int column, int count, float[] from) {
        float more = bias[channel];
        for (int i = 0; i < count; i++) from[i] += more;
        forEachRun(
                channel,
                column,
                count,
                (skip, n, to) -> MemorySegment.copy(from, skip, y, ValueLayout.JAVA_FLOAT, to * Float.BYTES, n));
    }

    @Override
    public void store(MemorySegment strip, int channel, int rows, int column, int count) {
        long apart = (long) size * Float.BYTES;
        forEachRun(channel, column, count, (skip, n, to) -> {
            MemorySegment from = strip.asSlice((long) skip * Float.BYTES), at = y.asSlice(to * Float.BYTES);
            try {
                MachineKernels.StorePanel.ROW_BIAS.invokeExact(
                        from, at, (long) rows, (long) n, apart, MachineKernels.segmentAt(bias, channel));
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        });
    }

    private void forEachRun(int channel, int column, int count, Run part) {
        for (int n, done = 0; done < count; done += n) {
            int picture = (column + done) / imageColumns, within = (column + done) % imageColumns;
            int line = within / pitch, at = within % pitch;
            n = Math.min(Math.min(count - done, pitch - at), imageColumns - within);
            int keep = line < rows ? Math.min(n, width - at) : 0;
            if (keep > 0)
                part.store(
                        done,
                        keep,
                        ((long) (image + picture) * channels + channel) * size + offset + line * width + at);
        }
    }
}
