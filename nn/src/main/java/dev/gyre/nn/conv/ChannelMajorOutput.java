package dev.gyre.nn.conv;

import dev.gyre.nn.cpu.Gemm;
import dev.gyre.nn.cpu.MachineKernels;
import dev.gyre.nn.cpu.PanelOutput;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A destination of C whose rows are channels and whose columns are the pixels of all images of the batch, one image
 * after the other.
 *
 * @param y [batch, channels, pixels]
 * @param bias added to each channel, [channels]
 */
record ChannelMajorOutput(MemorySegment y, int channels, int pixels, float[] bias) implements Gemm.Output, PanelOutput {
    @Override
    public void store(int row, int column, int width, float[] from) {
        float channelBias = bias[row];
        for (int i = 0; i < width; i++) from[i] += channelBias;
        for (int done = 0; done < width; ) {
            int n = Math.min(width - done, pixels - (column + done) % pixels);
            MemorySegment.copy(from, done, y, ValueLayout.JAVA_FLOAT, at(row, column + done), n);
            done += n;
        }
    }

    @Override
    public void store(MemorySegment panel, int row, int rows, int column, int width) {
        long stride = (long) pixels * Float.BYTES;
        for (int n, done = 0; done < width; done += n) {
            n = Math.min(width - done, pixels - (column + done) % pixels);
            MemorySegment from = panel.asSlice((long) done * Float.BYTES), to = y.asSlice(at(row, column + done));
            try {
                MachineKernels.StorePanel.ROW_BIAS.invokeExact(
                        from, to, (long) rows, (long) n, stride, MachineKernels.segmentAt(bias, row));
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        }
    }

    private long at(int channel, int column) {
        return (((long) (column / pixels) * channels + channel) * pixels + column % pixels) * Float.BYTES;
    }
}
