package dev.gyre.nn.embedding;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Value;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * The sinusoidal timestep embedding of a diffusion model: cos(t·f_k), then sin(t·f_k), with f_k = 10000^(−k / (width /
 * 2)) (Ho et al. 2020, in the order of the original Stable Diffusion).
 *
 * @param t [batch] timesteps, which may be fractional
 * @param y [batch, width]
 */
public record TimestepEmbedding(Value t, Value y) implements Op {
    /**
     * Adds an embedding of timesteps, [batch]; returns [batch, width].
     *
     * @param width even
     */
    public static Value of(Value t, int width) {
        return t.graph().add(new TimestepEmbedding(t, t.like(t.dim(0), width)));
    }

    @Override
    public List<Value> inputs() {
        return List.of(t);
    }

    @Override
    public Value output() {
        return y;
    }

    @Override
    public List<KernelCall> loops() {
        return List.of(Kernel.call(y.shape().elements(), TimestepEmbedding::timestepEmbedding, y.dim(1), t, y));
    }

    /** The definition. */
    public static void timestepEmbedding(int begin, int count, int width, FloatArray t, FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            int i = begin + k, half = width / 2, j = i % width;
            float angle = t.get(i / width) * TornadoMath.exp(-9.2103404f * (j % half) / half);
            if (j < half) y.set(i, TornadoMath.cos(angle));
            else y.set(i, TornadoMath.sin(angle));
        }
    }

    /** In double precision: near 1000, neighbouring floats differ by 6e-5, which is visible in the network's output. */
    @Override
    public Optional<JvmKernel> jvm() {
        return Optional.of((memory, workers) -> {
            int width = y.dim(1), half = width / 2;
            float[] steps = memory.at(t).floats(), rows = new float[steps.length * width];
            for (int i = 0; i < rows.length; i++) {
                double angle = steps[i / width] * Math.pow(10000, -(double) (i % width % half) / half);
                rows[i] = (float) (i % width < half ? Math.cos(angle) : Math.sin(angle));
            }
            MemorySegment.copy(rows, 0, memory.at(y).data(), ValueLayout.JAVA_FLOAT, 0, rows.length);
        });
    }
}
