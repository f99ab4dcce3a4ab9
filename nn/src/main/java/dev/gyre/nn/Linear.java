package dev.gyre.nn;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Op;
import dev.gyre.core.Precision;
import dev.gyre.core.Step;
import dev.gyre.core.Target;
import dev.gyre.core.Value;
import dev.gyre.core.Workers;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * y = x · Wᵀ + b.
 *
 * @param x [rows, in]
 * @param weight [out, in], as the checkpoint stores it
 * @param bias [out], or empty
 * @param y [rows, out]
 */
public record Linear(Value x, Value weight, Optional<Value> bias, Value y) implements Op {

    /** Reads {@code weight} and {@code bias}. {@code x} is [..., in]; all but the last dimension are rows. Gives [..., out]. */
    public static Value of(Value x, int out, Weights at) {
        Value y = of(x, at.get("weight", out, x.dim(-1)), Optional.of(at.get("bias", out)));
        return at.named(LowRank.addTo(y, x, at));
    }

    /** Reads {@code weight} alone. */
    public static Value withoutBias(Value x, int out, Weights at) {
        return at.named(LowRank.addTo(of(x, at.get("weight", out, x.dim(-1)), Optional.empty()), x, at));
    }

    static Value of(Value x, Value weight, Optional<Value> bias) {
        int in = x.dim(-1), out = weight.dim(0), rows = x.shape().elements() / in;
        Value y = x.graph().add(new Linear(x.reshape(rows, in), weight, bias, x.like(rows, out)));
        int[] dims = x.shape().dims().stream().mapToInt(Integer::intValue).toArray();
        dims[dims.length - 1] = out;
        return y.reshape(dims);
    }

    @Override
    public List<Value> inputs() {
        return bias.map(b -> List.of(x, weight, b)).orElse(List.of(x, weight));
    }

    @Override
    public Value output() {
        return y;
    }

    @Override
    public long flops() {
        return 2L * y.shape().elements() * x.dim(1);
    }

    @Override
    public List<Step> loops() {
        int rows = y.dim(0), in = x.dim(1), out = y.dim(1);
        return List.of(
                bias.isPresent()
                        ? Step.of(rows * out, Linear::linear, in, out, x, weight, bias.get(), y)
                        : Step.of(rows * out, Linear::linearWithoutBias, in, out, x, weight, y));
    }

    /** The definition. Every faster way is tested against it. */
    public static void linear(
            int begin, int count, int in, int out, FloatArray x, FloatArray w, FloatArray b, FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            int i = begin + k, row = i / out, o = i % out;
            float sum = b.get(o);
            for (int j = 0; j < in; j++) sum += x.get(row * in + j) * w.get(o * in + j);
            y.set(i, sum);
        }
    }

    /** The definition without b. */
    public static void linearWithoutBias(
            int begin, int count, int in, int out, FloatArray x, FloatArray w, FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            int i = begin + k, row = i / out, o = i % out;
            float sum = 0f;
            for (int j = 0; j < in; j++) sum += x.get(row * in + j) * w.get(o * in + j);
            y.set(i, sum);
        }
    }

    @Override
    public List<Step> device(Target target) {
        return device(target, Addend.none(x)).orElseGet(this::loops);
    }

    /** With something added on the way; empty where only the loops will do. */
    Optional<List<Step>> device(Target target, Addend addend) {
        Target.Kernels kernels = target.kernels();
        if (kernels == Target.Kernels.LOOPS) return Optional.empty();
        if (kernels == Target.Kernels.TILES) return Optional.of(LinearTiles.steps(this, addend));
        if (kernels == Target.Kernels.LIBRARIES) return Optional.of(LinearLibrary.steps(this, addend));
        if (kernels == Target.Kernels.TENSOR && LinearTensor.fits(this))
            return Optional.of(LinearTensor.steps(this, addend));
        return Optional.of(LinearGroups.steps(this, target, addend));
    }

    /** The same layer, making another value of as many elements. */
    Linear into(Value other) {
        return new Linear(x, weight, bias, other.reshape(y.dim(0), y.dim(1)));
    }

    @Override
    public Optional<JvmKernel> jvm() {
        return Optional.of(new Product());
    }

    @Override
    public Optional<JvmKernel> jvm(Precision precision) {
        return precision == Precision.BF16 ? Optional.of(new LinearPairs(this)) : jvm();
    }

    private final class Product implements JvmKernel {
        private final Tile tile = Tile.BEST;
        private final int rows = y.dim(0), in = x.dim(1), out = y.dim(1);

        @Override
        public void prepare(JvmMemory memory) {
            weights(memory);
        }

        private Bands weights(JvmMemory memory) {
            return Bands.ofWeight(memory, weight, tile.strip(), out, in);
        }

        @Override
        public void run(JvmMemory memory, Workers workers) {
            float[] more = bias.map(b -> memory.at(b).floats()).orElseGet(() -> new float[out]);
            Gemm.run(
                    tile,
                    rows,
                    out,
                    in,
                    Bands.of(tile.rows(), memory.at(x), rows, in),
                    Gemm.Right.of(weights(memory)),
                    new RowMajor(memory.at(y).data(), out, more),
                    workers);
        }
    }
}
