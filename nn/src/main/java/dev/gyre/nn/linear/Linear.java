package dev.gyre.nn.linear;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Precision;
import dev.gyre.core.Target;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.core.Workers;
import dev.gyre.nn.AcceptsAddend;
import dev.gyre.nn.Epilogue;
import dev.gyre.nn.LowRank;
import dev.gyre.nn.Weights;
import dev.gyre.nn.cpu.Gemm;
import dev.gyre.nn.cpu.MicroKernel;
import dev.gyre.nn.cpu.MicroKernels;
import dev.gyre.nn.cpu.PackedRows;
import dev.gyre.nn.elementwise.Add;
import dev.gyre.nn.elementwise.FusedAdd;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * A linear layer: y = x · Wᵀ + b.
 *
 * @param x [rows, in]
 * @param weight [out, in], as the checkpoint stores it
 * @param bias [out], or empty
 * @param y [rows, out]
 */
public record Linear(Value x, Value weight, Optional<Value> bias, Value y) implements AcceptsAddend {

    /**
     * Adds a linear layer to x [..., in] with the parameters {@code weight} [out, in] and {@code bias} [out]; returns
     * [..., out].
     */
    public static Value of(Value x, int out, Weights at) {
        Value y = of(x, at.get("weight", out, x.dim(-1)), Optional.of(at.get("bias", out)));
        return at.named(adapted(y, x, at));
    }

    /**
     * Adds a linear layer to x [..., in] with the parameter {@code weight} [out, in] and no bias; returns [..., out].
     */
    public static Value withoutBias(Value x, int out, Weights at) {
        return at.named(adapted(of(x, at.get("weight", out, x.dim(-1)), Optional.empty()), x, at));
    }

    /**
     * Adds a linear layer to x [..., in] with a weight [out, in] and, unless empty, a bias [out]; returns [..., out].
     */
    private static Value of(Value x, Value weight, Optional<Value> bias) {
        int in = x.dim(-1), out = weight.dim(0), rows = x.shape().elements() / in;
        Value y = x.graph().add(new Linear(x.reshape(rows, in), weight, bias, x.like(rows, out)));
        int[] dims = x.shape().dims().stream().mapToInt(Integer::intValue).toArray();
        dims[dims.length - 1] = out;
        return y.reshape(dims);
    }

    /** y plus the low-rank adapters' terms: scale · up(down(x)). */
    private static Value adapted(Value y, Value x, Weights at) {
        for (LowRank adapter : at.additions()) {
            Value inner = of(x, matrix(at, "down", adapter.down()), Optional.empty());
            y = Add.of(y, of(inner, matrix(at, "up", adapter.up()), Optional.empty()), adapter.scale());
        }
        return y;
    }

    private static Value matrix(Weights at, String part, Tensor tensor) {
        return at.ofAdapter(part, tensor)
                .reshape(tensor.shape().dim(0), tensor.shape().dim(1));
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
    public List<KernelCall> loops() {
        int rows = y.dim(0), in = x.dim(1), out = y.dim(1);
        return List.of(
                bias.isPresent()
                        ? Kernel.call(rows * out, Linear::linear, in, out, x, weight, bias.get(), y)
                        : Kernel.call(rows * out, Linear::linearWithoutBias, in, out, x, weight, y));
    }

    /** The definition. Every faster implementation is tested against it. */
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
    public List<KernelCall> device(Target target) {
        return device(target, Epilogue.none(x)).orElseGet(this::loops);
    }

    @Override
    public Optional<Op> withAddend(Op sum, Epilogue epilogue, Target target) {
        return FusedAdd.of(this, sum, epilogue, target, to -> into(sum.output()).device(to, epilogue));
    }

    /** Kernels with this epilogue; empty where only the definition applies. */
    private Optional<List<KernelCall>> device(Target target, Epilogue epilogue) {
        Target.KernelKind kernels = target.kernels();
        if (kernels == Target.KernelKind.REFERENCE) return Optional.empty();
        if (kernels == Target.KernelKind.SIMD) return Optional.of(LinearSimd.calls(this, epilogue));
        if (kernels == Target.KernelKind.VENDOR) return Optional.of(LinearCublas.calls(this, epilogue));
        if (kernels == Target.KernelKind.TENSOR_CORE && LinearTensorCore.fits(this))
            return Optional.of(LinearTensorCore.calls(this, epilogue));
        return Optional.of(LinearGpu.calls(this, target, epilogue));
    }

    /** The same layer with another output value of as many elements. */
    private Linear into(Value other) {
        return new Linear(x, weight, bias, other.reshape(y.dim(0), y.dim(1)));
    }

    @Override
    public Optional<JvmKernel> jvm() {
        return Optional.of(new Product());
    }

    @Override
    public Optional<JvmKernel> jvm(Precision precision) {
        return precision == Precision.BF16 ? Optional.of(new LinearBf16(this)) : jvm();
    }

    private final class Product implements JvmKernel {
        private final MicroKernel micro = MicroKernels.best();
        private final int rows = y.dim(0), in = x.dim(1), out = y.dim(1);

        @Override
        public void prepare(JvmMemory memory) {
            weights(memory);
        }

        private PackedRows weights(JvmMemory memory) {
            return PackedRows.ofWeight(memory, weight, micro.nr(), out, in);
        }

        @Override
        public void run(JvmMemory memory, Workers workers) {
            float[] biases = bias.map(b -> memory.at(b).floats()).orElseGet(() -> new float[out]);
            Gemm.run(
                    micro,
                    rows,
                    out,
                    in,
                    PackedRows.of(micro.mr(), memory.at(x), rows, in),
                    Gemm.RightOperand.of(weights(memory)),
                    new RowMajorOutput(memory.at(y).data(), out, biases),
                    workers);
        }
    }
}
