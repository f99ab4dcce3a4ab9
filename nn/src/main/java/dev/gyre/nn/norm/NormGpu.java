package dev.gyre.nn.norm;

import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Value;
import dev.gyre.nn.device.WorkGroups;
import java.util.List;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Norms on GPUs: a work group processes one row, or one group of channels, from the first sum to the last element. */
final class NormGpu {
    private NormGpu() {}

    static List<KernelCall> calls(LayerNorm op) {
        int width = op.x().dim(-1), rows = op.x().shape().elements() / width;
        return List.of(Kernel.workGroups(
                rows,
                WorkGroups.THREADS,
                NormGpu::layerNormWorkGroups,
                width,
                op.epsilon(),
                op.x(),
                op.weight(),
                op.bias(),
                op.y()));
    }

    static List<KernelCall> calls(GroupNorm op) {
        Value x = op.x();
        return List.of(Kernel.workGroups(
                x.dim(0) * op.groups(),
                WorkGroups.THREADS,
                NormGpu::groupNormWorkGroups,
                op.groups(),
                x.dim(1) / op.groups(),
                x.dim(2) * x.dim(3),
                op.epsilon(),
                op.silu() ? 1 : 0,
                x,
                op.weight(),
                op.bias(),
                op.y()));
    }

    public static void layerNormWorkGroups(
            KernelContext context,
            int width,
            float epsilon,
            FloatArray x,
            FloatArray weight,
            FloatArray bias,
            FloatArray y) {
        int thread = context.localIdx, at = context.groupIdx * width;
        float[] shared = context.allocateFloatLocalArray(256);
        float sum = 0f;
        for (int j = thread; j < width; j += 256) sum += x.get(at + j);
        shared[thread] = sum;
        context.localBarrier();
        for (int active = 128; active > 0; active /= 2) {
            if (thread < active) shared[thread] += shared[thread + active];
            context.localBarrier();
        }
        float mean = shared[0] / width, squares = 0f;
        context.localBarrier(); // all threads have read it
        for (int j = thread; j < width; j += 256) {
            float delta = x.get(at + j) - mean;
            squares += delta * delta;
        }
        shared[thread] = squares;
        context.localBarrier();
        for (int active = 128; active > 0; active /= 2) {
            if (thread < active) shared[thread] += shared[thread + active];
            context.localBarrier();
        }
        float inverse = 1f / TornadoMath.sqrt(shared[0] / width + epsilon);
        for (int j = thread; j < width; j += 256)
            y.set(at + j, (x.get(at + j) - mean) * inverse * weight.get(j) + bias.get(j));
    }

    public static void groupNormWorkGroups(
            KernelContext context,
            int groups,
            int groupChannels,
            int pixels,
            float epsilon,
            int silu,
            FloatArray x,
            FloatArray weight,
            FloatArray bias,
            FloatArray y) {
        int thread = context.localIdx, group = context.groupIdx, size = groupChannels * pixels, at = group * size;
        float[] shared = context.allocateFloatLocalArray(256);
        float sum = 0f;
        for (int j = thread; j < size; j += 256) sum += x.get(at + j);
        shared[thread] = sum;
        context.localBarrier();
        for (int active = 128; active > 0; active /= 2) {
            if (thread < active) shared[thread] += shared[thread + active];
            context.localBarrier();
        }
        float mean = shared[0] / size, squares = 0f;
        context.localBarrier(); // all threads have read it
        for (int j = thread; j < size; j += 256) {
            float delta = x.get(at + j) - mean;
            squares += delta * delta;
        }
        shared[thread] = squares;
        context.localBarrier();
        for (int active = 128; active > 0; active /= 2) {
            if (thread < active) shared[thread] += shared[thread + active];
            context.localBarrier();
        }
        float inverse = 1f / TornadoMath.sqrt(shared[0] / size + epsilon);
        for (int j = thread; j < size; j += 256) {
            int channel = group % groups * groupChannels + j / pixels;
            float v = (x.get(at + j) - mean) * inverse * weight.get(channel) + bias.get(channel);
            if (silu == 1) v = v / (1f + TornadoMath.exp(-v));
            y.set(at + j, v);
        }
    }
}
