package dev.gyre.nn.elementwise;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Value;
import dev.gyre.nn.AcceptsActivation;
import dev.gyre.nn.cpu.Elementwise;
import dev.gyre.nn.cpu.Erf;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * GELU: y = x · Φ(x) with the exact normal distribution, element by element (Hendrycks and Gimpel 2016).
 *
 * @param x any shape
 * @param y as x
 */
public record Gelu(Value x, Value y) implements Op {
    /** Adds a GELU of x; returns x's shape. */
    public static Value of(Value x) {
        return Elementwise.like(x, y -> new Gelu(x, y));
    }

    @Override
    public List<Value> inputs() {
        return List.of(x);
    }

    @Override
    public Value output() {
        return y;
    }

    @Override
    public List<KernelCall> loops() {
        return List.of(Kernel.call(y.shape().elements(), Gelu::gelu, x, y));
    }

    /** Fused into the op that makes x, where that op accepts an activation. */
    @Override
    public Optional<Op> fused(Op producer) {
        return AcceptsActivation.fused(producer, this);
    }

    /** The definition. */
    public static void gelu(int begin, int count, FloatArray x, FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            int i = begin + k;
            float v = x.get(i);
            y.set(i, 0.5f * v * (1f + Erf.erf(v * 0.70710678f)));
        }
    }

    @Override
    public Optional<JvmKernel> jvm() {
        return Optional.of(Elementwise.map(x, y, Elementwise::gelu));
    }
}
