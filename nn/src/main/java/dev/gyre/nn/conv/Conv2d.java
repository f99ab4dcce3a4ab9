package dev.gyre.nn.conv;

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
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Two-dimensional convolution (cross-correlation, as every framework defines it) with zero padding. The padding may
 * differ between top left and bottom right: the latter follows from {@code y}'s size.
 *
 * @param x [batch, in, height, width]
 * @param weight [out, in, kernel, kernel]
 * @param bias [out]
 * @param stride the same in both directions
 * @param padding rows of zeros above and columns of zeros to the left
 * @param y [batch, out, (height + padding + bottom − kernel) / stride + 1, likewise for the width]
 */
public record Conv2d(Value x, Value weight, Value bias, int stride, int padding, Value y) implements AcceptsAddend {

    /**
     * Adds a convolution with a square kernel, stride 1 and an output as large as the input: padding (kernel − 1) / 2
     * on all sides.
     */
    public static Value of(Value x, int out, int kernel, Weights at) {
        return of(x, out, kernel, 1, (kernel - 1) / 2, (kernel - 1) / 2, at);
    }

    /**
     * Adds a convolution whose parameters are {@code weight} [out, in, kernel, kernel] and {@code bias} [out].
     *
     * @param before rows of zeros above and columns of zeros to the left
     * @param after rows of zeros below and columns of zeros to the right
     */
    public static Value of(Value x, int out, int kernel, int stride, int before, int after, Weights at) {
        Value weight = at.get("weight", out, x.dim(1), kernel, kernel);
        Value y = of(x, weight, at.get("bias", out), stride, before, after);
        return at.named(adapted(y, x, stride, before, after, at));
    }

    /** Adds a convolution without bias and without padding; its parameter is {@code weight}. */
    public static Value withoutBias(Value x, int out, int kernel, int stride, Weights at) {
        return at.named(withoutBias(x, at.get("weight", out, x.dim(1), kernel, kernel), stride, 0, 0));
    }

    /**
     * Adds a convolution without bias.
     *
     * @param weight [out, in, kernel, kernel]
     * @param before rows of zeros above and columns of zeros to the left
     * @param after rows of zeros below and columns of zeros to the right
     */
    private static Value withoutBias(Value x, Value weight, int stride, int before, int after) {
        int out = weight.dim(0);
        Value none = x.graph().constant("no bias", Tensor.of(new float[out], out));
        return of(x, weight, none, stride, before, after);
    }

    private static Value of(Value x, Value weight, Value bias, int stride, int before, int after) {
        int height = (x.dim(2) + before + after - weight.dim(2)) / stride + 1;
        int width = (x.dim(3) + before + after - weight.dim(3)) / stride + 1;
        Value y = x.like(x.dim(0), weight.dim(0), height, width);
        return x.graph().add(new Conv2d(x, weight, bias, stride, before, y));
    }

    /** y plus the low-rank adapters' terms: scale · up(mid(down(x))). */
    private static Value adapted(Value y, Value x, int stride, int before, int after, Weights at) {
        for (LowRank adapter : at.additions()) {
            Value down = kernel(at, "down", adapter.down());
            Value inner = adapter.mid().isPresent() || down.dim(2) == 1 && stride == 1
                    ? withoutBias(x, down, 1, 0, 0)
                    : withoutBias(x, down, stride, before, after);
            if (adapter.mid().isPresent())
                inner = withoutBias(inner, kernel(at, "mid", adapter.mid().get()), stride, before, after);
            y = Add.of(y, withoutBias(inner, kernel(at, "up", adapter.up()), 1, 0, 0), adapter.scale());
        }
        return y;
    }

    private static Value kernel(Weights at, String part, Tensor tensor) {
        int side = tensor.shape().rank() == 4 ? tensor.shape().dim(2) : 1;
        return at.ofAdapter(part, tensor)
                .reshape(tensor.shape().dim(0), tensor.shape().dim(1), side, side);
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
    public long flops() {
        return 2L * y.shape().elements() * x.dim(1) * weight.dim(2) * weight.dim(3);
    }

    @Override
    public List<KernelCall> loops() {
        return List.of(Kernel.call(
                y.shape().elements(),
                Conv2d::conv2d,
                x.dim(1),
                x.dim(2),
                x.dim(3),
                y.dim(1),
                y.dim(2),
                y.dim(3),
                weight.dim(2),
                stride,
                padding,
                x,
                weight,
                bias,
                y));
    }

    /** The definition: one output element an iteration. No parameter may be named kernel, a keyword of OpenCL. */
    public static void conv2d(
            int begin,
            int count,
            int in,
            int height,
            int width,
            int out,
            int rows,
            int columns,
            int side,
            int stride,
            int padding,
            FloatArray x,
            FloatArray w,
            FloatArray b,
            FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            int i = begin + k, column = i % columns, row = i / columns % rows, o = i / (columns * rows) % out;
            int image = i / (columns * rows * out) * in;
            float sum = b.get(o);
            for (int c = 0; c < in; c++)
                for (int u = 0; u < side; u++)
                    for (int v = 0; v < side; v++) {
                        int h = row * stride + u - padding, l = column * stride + v - padding;
                        if (h >= 0 && h < height && l >= 0 && l < width)
                            sum += x.get(((image + c) * height + h) * width + l)
                                    * w.get(((o * in + c) * side + u) * side + v);
                    }
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
        if (kernels == Target.KernelKind.SIMD)
            return Conv2dSimd.fits(this) ? Optional.of(Conv2dSimd.calls(this, epilogue)) : Optional.empty();
        if (kernels == Target.KernelKind.TENSOR_CORE && Conv2dTensorCore.fits(this))
            return Optional.of(Conv2dTensorCore.calls(this, epilogue));
        if (kernels == Target.KernelKind.VENDOR && Conv2dCudnn.fits(this))
            return Optional.of(Conv2dCudnn.calls(this, epilogue));
        return Optional.of(Conv2dGpu.calls(this, target, epilogue));
    }

    /** The same convolution with another output value of as many elements. */
    private Conv2d into(Value other) {
        return new Conv2d(x, weight, bias, stride, padding, other.reshape(y.dim(0), y.dim(1), y.dim(2), y.dim(3)));
    }

    /** Special algorithms for few output channels and where Winograd's saves work, otherwise im2col and one GEMM. */
    @Override
    public Optional<JvmKernel> jvm() {
        return Conv2dFewChannels.of(this)
                .<JvmKernel>map(kernel -> kernel)
                .or(() -> Winograd.of(this))
                .or(() -> Optional.of(new Product()));
    }

    @Override
    public Optional<JvmKernel> jvm(Precision precision) {
        return precision == Precision.BF16 ? Conv2dBf16.of(this).or(this::jvm) : jvm();
    }

    /** The weights times the im2col matrix; for a pointwise convolution, times the image itself. */
    private final class Product implements JvmKernel {
        private final MicroKernel micro = MicroKernels.best();
        private final int in = x.dim(1), out = y.dim(1), pixels = y.dim(2) * y.dim(3);
        private final int kernel = weight.dim(2), depth = in * kernel * kernel;

        @Override
        public void prepare(JvmMemory memory) {
            weights(memory);
        }

        private PackedRows weights(JvmMemory memory) {
            return PackedRows.ofWeight(memory, weight, micro.mr(), out, depth);
        }

        @Override
        public void run(JvmMemory memory, Workers workers) {
            MemorySegment to = memory.at(y).data();
            float[] biases = memory.at(bias).floats();
            if (kernel == 1 && stride == 1 && padding == 0)
                run(
                        y.dim(0) * pixels,
                        memory,
                        new PixelOperand(memory.at(x).data(), in, pixels),
                        new ChannelMajorOutput(to, out, pixels, biases),
                        workers);
            else {
                Im2Col im2col = new Im2Col(Conv2d.this, micro, memory, workers);
                run(im2col.columns(), memory, im2col, im2col.output(to, biases), workers);
            }
        }

        private void run(int columns, JvmMemory memory, Gemm.RightOperand right, Gemm.Output output, Workers workers) {
            Gemm.run(micro, out, columns, depth, weights(memory), right, output, workers);
        }
    }
}
