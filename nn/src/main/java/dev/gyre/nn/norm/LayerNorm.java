package dev.gyre.nn.norm;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Target;
import dev.gyre.core.Value;
import dev.gyre.core.Workers;
import dev.gyre.nn.Weights;
import dev.gyre.nn.cpu.Elementwise;
import dev.gyre.nn.cpu.MachineElementwise;
import dev.gyre.nn.cpu.Moments;
import dev.gyre.nn.cpu.ScratchSlots;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Layer normalization: every row is normalized to mean 0 and variance 1, then scaled and shifted (Ba et al. 2016).
 *
 * @param x [rows, width]
 * @param weight [width]
 * @param bias [width]
 * @param epsilon added to the (biased) variance
 * @param y [rows, width]
 */
public record LayerNorm(Value x, Value weight, Value bias, float epsilon, Value y) implements Op {
    /**
     * Adds a layer norm of x [..., width] with epsilon 1e-5 and the parameters {@code weight} and {@code bias},
     * [width]; returns x's shape.
     */
    public static Value of(Value x, Weights at) {
        int width = x.dim(-1);
        Value weight = at.get("weight", width), bias = at.get("bias", width);
        return at.named(Elementwise.like(x, y -> new LayerNorm(x, weight, bias, 1e-5f, y)));
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
    public List<KernelCall> loops() {
        int width = x.dim(-1), rows = x.shape().elements() / width;
        Value moments = Value.scratch(y.dtype(), rows, 2);
        return List.of(
                Kernel.call(rows, LayerNorm::layerNormMoments, width, epsilon, x, moments),
                Kernel.call(rows * width, LayerNorm::layerNorm, width, x, moments, weight, bias, y));
    }

    /** Mean and 1 / √(variance + ε) of each row, in two passes: the difference of two large sums would lose digits. */
    public static void layerNormMoments(
            int begin, int count, int width, float epsilon, FloatArray x, FloatArray moments) {
        for (@Parallel int k = 0; k < count; k++) {
            int row = begin + k;
            float sum = 0f;
            for (int j = 0; j < width; j++) sum += x.get(row * width + j);
            float mean = sum / width, squares = 0f;
            for (int j = 0; j < width; j++) {
                float d = x.get(row * width + j) - mean;
                squares += d * d;
            }
            moments.set(2 * row, mean);
            moments.set(2 * row + 1, 1f / TornadoMath.sqrt(squares / width + epsilon));
        }
    }

    /** The last kernel: normalizes by the row's moments, scales and shifts. */
    public static void layerNorm(
            int begin,
            int count,
            int width,
            FloatArray x,
            FloatArray moments,
            FloatArray weight,
            FloatArray bias,
            FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            int i = begin + k, row = i / width, j = i % width;
            float v = (x.get(i) - moments.get(2 * row)) * moments.get(2 * row + 1);
            y.set(i, v * weight.get(j) + bias.get(j));
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

    @Override
    public Optional<JvmKernel> jvm() {
        return Optional.of(this::run);
    }

    private void run(JvmMemory memory, Workers workers) {
        int width = x.dim(-1), rows = x.shape().elements() / width;
        MemorySegment from = memory.at(x).data(), to = memory.at(y).data();
        float[] scales = memory.at(weight).floats(), shifts = memory.at(bias).floats();
        int pieceRows = Math.max(1, 4 * Elementwise.BLOCK / width);
        workers.run((rows + pieceRows - 1) / pieceRows, (piece, scratch) -> {
            for (int row = piece * pieceRows; row < Math.min(rows, (piece + 1) * pieceRows); row++) {
                long at = (long) row * width;
                float mean = Moments.sum(from, at, width, scratch) / width;
                double variance = Moments.squaredDifferences(from, at, width, mean, scratch) / (double) width;
                float inverse = (float) (1 / Math.sqrt(variance + epsilon));
                int done = MachineElementwise.norm(from, to, at, width, mean, inverse, scales, shifts);
                if (done == width) continue;
                float[] v = scratch.floats(ScratchSlots.LINE, width);
                Elementwise.read(from, at + done, v, done, width - done);
                for (int i = done; i < width; i++) v[i] = Math.fma((v[i] - mean) * inverse, scales[i], shifts[i]);
                Elementwise.write(v, done, to, at + done, width - done);
            }
        });
    }
}
