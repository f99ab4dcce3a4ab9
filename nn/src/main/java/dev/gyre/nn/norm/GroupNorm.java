package dev.gyre.nn.norm;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Target;
import dev.gyre.core.Value;
import dev.gyre.core.Workers;
import dev.gyre.nn.AcceptsActivation;
import dev.gyre.nn.Weights;
import dev.gyre.nn.cpu.Elementwise;
import dev.gyre.nn.cpu.Moments;
import dev.gyre.nn.elementwise.Silu;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Group normalization: every group of channels of every image is normalized to mean 0 and variance 1, then each channel
 * is scaled and shifted (Wu and He 2018).
 *
 * @param x [batch, channels, height, width]
 * @param weight [channels]
 * @param bias [channels]
 * @param groups a divisor of channels
 * @param epsilon added to the (biased) variance
 * @param silu whether {@link Silu} is fused
 * @param y as x
 */
public record GroupNorm(Value x, Value weight, Value bias, int groups, float epsilon, boolean silu, Value y)
        implements AcceptsActivation {
    /**
     * Elements are summed in runs of this length, then the runs: a float's rounding error grows with the length of a
     * sum.
     */
    private static final int RUN = 256;

    /**
     * Adds a group norm of x [batch, channels, height, width] with the parameters {@code weight} and {@code bias},
     * [channels]; returns x's shape.
     *
     * @throws IllegalArgumentException when the channels are not divisible by {@code groups}
     */
    public static Value of(Value x, int groups, float epsilon, Weights at) {
        int channels = x.dim(1);
        if (channels % groups != 0)
            throw new IllegalArgumentException(
                    "group norm of " + x + ": " + channels + " channels are not divisible by " + groups + " groups");
        Value weight = at.get("weight", channels), bias = at.get("bias", channels);
        return at.named(Elementwise.like(x, y -> new GroupNorm(x, weight, bias, groups, epsilon, false, y)));
    }

    @Override
    public List<Value> inputs() {
        return List.of(x, weight, bias);
    }

    @Override
    public Value output() {
        return y;
    }

    @Override
    public Optional<Op> withActivation(Op activation) {
        return activation instanceof Silu && !silu
                ? Optional.of(new GroupNorm(x, weight, bias, groups, epsilon, true, activation.output()))
                : Optional.empty();
    }

    @Override
    public List<KernelCall> loops() {
        int batch = x.dim(0), channels = x.dim(1), pixels = x.dim(2) * x.dim(3), groupChannels = channels / groups;
        Value perChannel = Value.scratch(y.dtype(), batch, channels, 2);
        Value perGroup = Value.scratch(y.dtype(), batch, groups, 2);
        Value normed = silu ? Value.scratch(y.dtype(), y.shape().elements()) : y;
        List<KernelCall> calls = new ArrayList<>(List.of(
                Kernel.call(batch * channels, GroupNorm::channelMoments, pixels, x, perChannel),
                Kernel.call(
                        batch * groups, GroupNorm::groupMoments, groupChannels, pixels, epsilon, perChannel, perGroup),
                Kernel.call(
                        y.shape().elements(),
                        GroupNorm::groupNorm,
                        channels,
                        groupChannels,
                        pixels,
                        x,
                        perGroup,
                        weight,
                        bias,
                        normed)));
        if (silu) calls.add(Kernel.call(y.shape().elements(), Silu::silu, normed, y));
        return calls;
    }

    /** Mean and sum of squared deviations of each channel of each image. */
    public static void channelMoments(int begin, int count, int pixels, FloatArray x, FloatArray moments) {
        for (@Parallel int k = 0; k < count; k++) {
            int channel = begin + k, at = channel * pixels;
            float sum = 0f;
            for (int from = 0; from < pixels; from += RUN) {
                float part = 0f;
                int to = TornadoMath.min(from + RUN, pixels);
                for (int j = from; j < to; j++) part += x.get(at + j);
                sum += part;
            }
            float mean = sum / pixels, squares = 0f;
            for (int from = 0; from < pixels; from += RUN) {
                float part = 0f;
                int to = TornadoMath.min(from + RUN, pixels);
                for (int j = from; j < to; j++) {
                    float d = x.get(at + j) - mean;
                    part += d * d;
                }
                squares += part;
            }
            moments.set(2 * channel, mean);
            moments.set(2 * channel + 1, squares);
        }
    }

    /** Mean and 1 / √(variance + ε) of each group, from its channels' moments (Chan, Golub and LeVeque 1983). */
    public static void groupMoments(
            int begin,
            int count,
            int groupChannels,
            int pixels,
            float epsilon,
            FloatArray channels,
            FloatArray moments) {
        for (@Parallel int k = 0; k < count; k++) {
            int group = begin + k;
            float sum = 0f;
            for (int c = group * groupChannels; c < (group + 1) * groupChannels; c++) sum += channels.get(2 * c);
            float mean = sum / groupChannels, squares = 0f;
            for (int c = group * groupChannels; c < (group + 1) * groupChannels; c++) {
                float d = channels.get(2 * c) - mean;
                squares += channels.get(2 * c + 1) + pixels * d * d;
            }
            moments.set(2 * group, mean);
            moments.set(2 * group + 1, 1f / TornadoMath.sqrt(squares / groupChannels / pixels + epsilon));
        }
    }

    /** The last kernel: normalizes by the group's moments, scales and shifts. */
    public static void groupNorm(
            int begin,
            int count,
            int channels,
            int groupChannels,
            int pixels,
            FloatArray x,
            FloatArray moments,
            FloatArray weight,
            FloatArray bias,
            FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            int i = begin + k, plane = i / pixels, channel = plane % channels, group = plane / groupChannels;
            float v = (x.get(i) - moments.get(2 * group)) * moments.get(2 * group + 1);
            y.set(i, v * weight.get(channel) + bias.get(channel));
        }
    }

    @Override
    public List<KernelCall> device(Target target) {
        return switch (target.kernels()) {
            case REFERENCE -> loops();
            case SIMD -> NormSimd.calls(this);
            case WORKGROUP, TENSOR_CORE, VENDOR -> NormGpu.calls(this);
        };
    }

    /** One group at a time: its moments, block by block, then its elements while they are in a cache. */
    @Override
    public Optional<JvmKernel> jvm() {
        return Optional.of(this::run);
    }

    private void run(JvmMemory memory, Workers workers) {
        int channels = x.dim(1), pixels = x.dim(2) * x.dim(3), groupChannels = channels / groups;
        MemorySegment from = memory.at(x).data(), to = memory.at(y).data();
        float[] scales = memory.at(weight).floats(), shifts = memory.at(bias).floats();
        workers.run(x.dim(0) * groups, (piece, scratch) -> {
            long first = (long) piece * groupChannels * pixels;
            double mean = 0, squares = 0;
            long done = 0, count = (long) groupChannels * pixels;
            while (done < count) {
                int n = (int) Math.min(Elementwise.BLOCK, count - done);
                // Blocks are combined in double (Chan, Golub and LeVeque 1983): a group may have millions of elements.
                float blockMean = Moments.sum(from, first + done, n, scratch) / n;
                double delta = blockMean - mean;
                squares += Moments.squaredDifferences(from, first + done, n, blockMean, scratch)
                        + delta * delta * done / (done + n) * n;
                mean += delta * n / (done + n);
                done += n;
            }
            double inverse = 1 / Math.sqrt(squares / count + epsilon);
            for (int c = 0; c < groupChannels; c++) {
                int channel = piece % groups * groupChannels + c;
                float scale = (float) (inverse * scales[channel]), center = (float) mean, shift = shifts[channel];
                long at = first + (long) c * pixels;
                if (silu) Elementwise.silu(from, to, at, pixels, center, scale, shift, 1f, scratch);
                else Elementwise.scale(from, to, at, pixels, center, scale, shift, scratch);
            }
        });
    }
}
