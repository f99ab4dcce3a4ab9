package dev.gyre.nn.conv;

import dev.gyre.nn.cpu.Gemm;
import dev.gyre.nn.cpu.MachineKernels;
import dev.gyre.nn.cpu.PanelOutput;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A destination of C whose rows are channels and whose columns are padded rows of outputs, image by image: columns
 * beyond the end of a row, or below an image's rows, are dropped.
 *
 * @param y [batch, channels, size]
 * @param size floats of a channel
 * @param image index of the first image
 * @param offset floats of a channel before the first row
 * @param rows of every image that are computed
 * @param width floats of a row
 * @param pitch columns of the product that a row takes
 * @param imageColumns columns of the product that an image takes
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

    /**
     * Stores a run of columns that belong to one row: {@code n} columns from {@code skip} on go to {@code to}, in
     * floats.
     */
    private interface Run {
        void store(int skip, int n, long to);
    }

    @Override
    public void store(int channel, int column, int count, float[] from) {
        float channelBias = bias[channel];
        for (int i = 0; i < count; i++) from[i] += channelBias;
        forEachRun(
                channel,
                column,
                count,
                (skip, n, to) -> MemorySegment.copy(from, skip, y, ValueLayout.JAVA_FLOAT, to * Float.BYTES, n));
    }

    @Override
    public void store(MemorySegment panel, int channel, int rows, int column, int count) {
        long stride = (long) size * Float.BYTES;
        forEachRun(channel, column, count, (skip, n, to) -> {
            MemorySegment from = panel.asSlice((long) skip * Float.BYTES), at = y.asSlice(to * Float.BYTES);
            try {
                MachineKernels.StorePanel.ROW_BIAS.invokeExact(
                        from, at, (long) rows, (long) n, stride, MachineKernels.segmentAt(bias, channel));
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        });
    }

    private void forEachRun(int channel, int column, int count, Run run) {
        for (int n, done = 0; done < count; done += n) {
            int index = (column + done) / imageColumns, imageColumn = (column + done) % imageColumns;
            int row = imageColumn / pitch, at = imageColumn % pitch;
            n = Math.min(Math.min(count - done, pitch - at), imageColumns - imageColumn);
            int keep = row < rows ? Math.min(n, width - at) : 0;
            if (keep > 0)
                run.store(done, keep, ((long) (image + index) * channels + channel) * size + offset + row * width + at);
        }
    }
}
