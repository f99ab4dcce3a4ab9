package dev.gyre.nn.norm;

import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Value;
import dev.gyre.nn.device.Float16s;
import java.util.List;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.vectors.Float16;

/**
 * Norms on devices of few, strong cores: a thread processes one row or group from the first sum to the last element.
 */
final class NormSimd {
    private NormSimd() {}

    static List<KernelCall> calls(LayerNorm op) {
        int width = op.x().dim(-1), rows = op.x().shape().elements() / width;
        return List.of(Kernel.call(
                rows, NormSimd::layerNormSimd, width, op.epsilon(), op.x(), op.weight(), op.bias(), op.y()));
    }

    static List<KernelCall> calls(GroupNorm op) {
        Value x = op.x();
        int channels = x.dim(1);
        return List.of(Kernel.call(
                x.dim(0) * op.groups(),
                NormSimd::groupNormSimd,
                op.groups(),
                channels / op.groups(),
                x.dim(2) * x.dim(3),
                op.epsilon(),
                op.silu() ? 1 : 0,
                x,
                op.weight(),
                op.bias(),
                op.y()));
    }

    public static void layerNormSimd(
            int begin,
            int count,
            int width,
            float epsilon,
            FloatArray x,
            FloatArray weight,
            FloatArray bias,
            FloatArray y) {
        for (@Parallel int n = 0; n < count; n++) {
            int at = (begin + n) * width;
            float mean = sum(x, at, width) / width;
            float inverse = 1f / TornadoMath.sqrt(squares(x, at, width, mean) / width + epsilon);
            for (int j = 0; j < width; j++)
                y.set(at + j, (x.get(at + j) - mean) * inverse * weight.get(j) + bias.get(j));
        }
    }

    public static void groupNormSimd(
            int begin,
            int count,
            int groups,
            int groupChannels,
            int pixels,
            float epsilon,
            int silu,
            FloatArray x,
            FloatArray weight,
            FloatArray bias,
            FloatArray y) {
        for (@Parallel int n = 0; n < count; n++) {
            int group = begin + n, size = groupChannels * pixels;
            float mean = sum(x, group * size, size) / size;
            float inverse = 1f / TornadoMath.sqrt(squares(x, group * size, size, mean) / size + epsilon);
            for (int c = 0; c < groupChannels; c++) {
                int channel = group % groups * groupChannels + c, at = (group * groupChannels + c) * pixels;
                float scale = inverse * weight.get(channel), shift = bias.get(channel);
                for (int j = 0; j < pixels; j++) {
                    float v = (x.get(at + j) - mean) * scale + shift;
                    if (silu == 1) v = v / (1f + TornadoMath.exp(-v));
                    y.set(at + j, v);
                }
            }
        }
    }

    /** Sums in 16 lanes, and in runs of 64 vectors: a float's rounding error grows with the length of a sum. */
    private static float sum(FloatArray x, int at, int count) {
        int vectors = count / 16;
        float sum = 0f;
        for (int from = 0; from < vectors; from += 64) {
            int to = TornadoMath.min(from + 64, vectors);
            Float16 part = Float16s.broadcast(0f);
            for (int i = from; i < to; i++) part = Float16.add(part, Float16s.load(x, at + i * 16));
            sum += Float16s.sum(part);
        }
        for (int i = vectors * 16; i < count; i++) sum += x.get(at + i);
        return sum;
    }

    /** The sum of squared differences from {@code mean}. */
    private static float squares(FloatArray x, int at, int count, float mean) {
        int vectors = count / 16;
        float sum = 0f;
        for (int from = 0; from < vectors; from += 64) {
            int to = TornadoMath.min(from + 64, vectors);
            Float16 part = Float16s.broadcast(0f);
            for (int i = from; i < to; i++) {
                Float16 delta = Float16.add(Float16s.load(x, at + i * 16), Float16s.broadcast(-mean));
                part = Float16.add(part, Float16.mult(delta, delta));
            }
            sum += Float16s.sum(part);
        }
        for (int i = vectors * 16; i < count; i++) {
            float delta = x.get(at + i) - mean;
            sum += delta * delta;
        }
        return sum;
    }
}
