package dev.gyre.nn.conv;

import dev.gyre.core.DType;
import dev.gyre.core.DevicePanels;
import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Value;
import dev.gyre.nn.Epilogue;
import dev.gyre.nn.device.TensorCores;
import java.util.List;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.enums.MMAShape;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;

/** A convolution on {@link TensorCores} as an implicit GEMM: A holds output channels, B holds pixels. */
final class Conv2dTensorCore {
    private Conv2dTensorCore() {}

    static boolean fits(Conv2d op) {
        return depth(op) % TensorCores.DEPTH == 0;
    }

    private static int depth(Conv2d op) {
        return op.x().dim(1) * op.weight().dim(2) * op.weight().dim(3);
    }

    static List<KernelCall> calls(Conv2d op, Epilogue epilogue) {
        Value y = op.y();
        int out = y.dim(1), plane = y.dim(2) * y.dim(3), pixels = y.dim(0) * plane;
        int groups = TensorCores.padded(out) / TensorCores.SIDE * (TensorCores.padded(pixels) / TensorCores.SIDE);
        Value x = Value.scratch(DType.F16, op.x().shape().elements());
        return List.of(
                TensorCores.roundToF16(op.x(), x),
                Kernel.workGroups(
                        groups,
                        TensorCores.THREADS,
                        Conv2dTensorCore::conv2dTensorCore,
                        op.x().dim(1),
                        op.x().dim(2),
                        op.x().dim(3),
                        out,
                        y.dim(2),
                        y.dim(3),
                        op.weight().dim(2),
                        op.stride(),
                        op.padding(),
                        pixels,
                        epilogue.each(),
                        x,
                        new DevicePanels(op.weight(), out, 1, true), // row-major, in F16
                        Value.scratch(DType.F32, groups, TensorCores.SIDE, TensorCores.SIDE),
                        op.bias(),
                        epilogue.value(),
                        y));
    }

    /**
     * The product; each work group then adds the bias and applies the epilogue.
     *
     * @param x [batch, in, height, width]
     * @param w [out, in, side, side]
     * @param sums scratch, [work groups, 64, 64]
     * @param y [batch, out, rows, columns]
     */
    public static void conv2dTensorCore(
            KernelContext context,
            int in,
            int height,
            int width,
            int out,
            int rows,
            int columns,
            int side,
            int stride,
            int padding,
            int pixels,
            int each,
            HalfFloatArray x,
            HalfFloatArray w,
            FloatArray sums,
            FloatArray b,
            FloatArray a,
            FloatArray y) {
        int blocks = (pixels + 63) / 64, first = context.groupIdx / blocks * 64, depth = in * side * side;
        int thread = context.localIdx, warp = thread / 32, down = warp / 2, across = warp % 2;
        // A thread loads the same pair of every 16th channel, and every fourth step of the same two pixels' windows.
        int line = thread / 8, step = thread % 8;
        int pair = warp * 8 + thread % 8, to = pair / 4 * 64 + pair % 4, start = context.groupIdx % blocks * 64;
        int p = TornadoMath.min(start + pair * 2, pixels - 1), q = TornadoMath.min(start + pair * 2 + 1, pixels - 1);
        int pPlane = p / (columns * rows) * in, qPlane = q / (columns * rows) * in;
        int pTop = p / columns % rows * stride - padding, qTop = q / columns % rows * stride - padding;
        int pStart = p % columns * stride - padding, qStart = q % columns * stride - padding;
        int[] left = context.allocateIntLocalArray(512);
        int[] right = context.allocateIntLocalArray(512);
        float[] s00 = context.mmaFragment(0f), s01 = context.mmaFragment(0f);
        float[] s02 = context.mmaFragment(0f), s03 = context.mmaFragment(0f);
        float[] s10 = context.mmaFragment(0f), s11 = context.mmaFragment(0f);
        float[] s12 = context.mmaFragment(0f), s13 = context.mmaFragment(0f);
        for (int d = 0; d < depth; d += 16) {
            for (int r = line; r < 64; r += 16) {
                int from = TornadoMath.min(first + r, out - 1) * depth + d + step * 2;
                left[r * 8 + step] = TensorCores.pair(w, from, from + 1);
            }
            for (int k = line % 4; k < 16; k += 4) {
                int c = (d + k) / (side * side), u = (d + k) / side % side, v = (d + k) % side;
                right[to + k * 4] = inputBits(pPlane + c, pTop + u, pStart + v, height, width, x)
                        | inputBits(qPlane + c, qTop + u, qStart + v, height, width, x) << 16;
            }
            context.localBarrier();
            HalfFloat[] a0 = context.mmaLoadA(left, 16, down * 1024);
            HalfFloat[] a1 = context.mmaLoadA(left, 16, down * 1024 + 512);
            HalfFloat[] b0 = context.mmaLoadB(right, 16, across * 1024);
            HalfFloat[] b1 = context.mmaLoadB(right, 16, across * 1024 + 256);
            HalfFloat[] b2 = context.mmaLoadB(right, 16, across * 1024 + 512);
            HalfFloat[] b3 = context.mmaLoadB(right, 16, across * 1024 + 768);
            s00 = context.mma(a0, b0, s00, MMAShape.M16N8K16);
            s01 = context.mma(a0, b1, s01, MMAShape.M16N8K16);
            s02 = context.mma(a0, b2, s02, MMAShape.M16N8K16);
            s03 = context.mma(a0, b3, s03, MMAShape.M16N8K16);
            s10 = context.mma(a1, b0, s10, MMAShape.M16N8K16);
            s11 = context.mma(a1, b1, s11, MMAShape.M16N8K16);
            s12 = context.mma(a1, b2, s12, MMAShape.M16N8K16);
            s13 = context.mma(a1, b3, s13, MMAShape.M16N8K16);
            context.localBarrier();
        }
        int row = context.groupIdx * 64 + down * 32, column = across * 32, plane = rows * columns;
        context.mmaStore(s00, sums, row, column, 64);
        context.mmaStore(s01, sums, row, column + 8, 64);
        context.mmaStore(s02, sums, row, column + 16, 64);
        context.mmaStore(s03, sums, row, column + 24, 64);
        context.mmaStore(s10, sums, row + 16, column, 64);
        context.mmaStore(s11, sums, row + 16, column + 8, 64);
        context.mmaStore(s12, sums, row + 16, column + 16, 64);
        context.mmaStore(s13, sums, row + 16, column + 24, 64);
        context.localBarrier();
        for (int i = thread; i < 4096; i += 128) {
            int o = first + i / 64, pixel = start + i % 64;
            if (o < out && pixel < pixels) {
                int at = (pixel / plane * out + o) * plane + pixel % plane;
                y.set(at, Epilogue.apply(sums.get(context.groupIdx * 4096 + i) + b.get(o), at, each, a));
            }
        }
    }

    /** The bits of the element at row {@code h} and column {@code l} of a plane; 0 outside it. */
    private static int inputBits(int plane, int h, int l, int height, int width, HalfFloatArray x) {
        int bits = 0;
        if (h >= 0 && h < height && l >= 0 && l < width)
            bits = x.get((plane * height + h) * width + l).getHalfFloatValue() & 0xFFFF;
        return bits;
    }
}
