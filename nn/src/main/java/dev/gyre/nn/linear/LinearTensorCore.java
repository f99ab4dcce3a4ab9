package dev.gyre.nn.linear;

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

/** A linear layer on {@link TensorCores}: A holds rows, B holds outputs. */
final class LinearTensorCore {
    private LinearTensorCore() {}

    static boolean fits(Linear op) {
        return op.x().dim(1) % TensorCores.DEPTH == 0;
    }

    static List<KernelCall> calls(Linear op, Epilogue epilogue) {
        int rows = op.y().dim(0), in = op.x().dim(1), out = op.y().dim(1);
        int groups = TensorCores.padded(rows) / TensorCores.SIDE * (TensorCores.padded(out) / TensorCores.SIDE);
        Value x = Value.scratch(DType.F16, rows, in);
        return List.of(
                TensorCores.roundToF16(op.x(), x),
                Kernel.workGroups(
                        groups,
                        TensorCores.THREADS,
                        LinearTensorCore::linearTensorCore,
                        rows,
                        in,
                        out,
                        op.bias().isPresent() ? 1 : 0,
                        epilogue.each(),
                        x,
                        new DevicePanels(op.weight(), out, TensorCores.SIDE, true),
                        Value.scratch(DType.F32, groups, TensorCores.SIDE, TensorCores.SIDE),
                        op.bias().orElse(op.x()), // not read where there is none
                        epilogue.value(),
                        op.y()));
    }

    /**
     * The product; each work group then adds the bias, unless {@code biased} is 0, and applies the epilogue.
     *
     * @param x [rows, in]
     * @param w [out rounded up to a multiple of 64 / 64, in, 64]
     * @param sums scratch, [work groups, 64, 64]
     * @param y [rows, out]
     */
    public static void linearTensorCore(
            KernelContext context,
            int rows,
            int in,
            int out,
            int biased,
            int each,
            HalfFloatArray x,
            HalfFloatArray w,
            FloatArray sums,
            FloatArray b,
            FloatArray a,
            FloatArray y) {
        int blocks = (rows + 63) / 64, panel = context.groupIdx / blocks, first = context.groupIdx % blocks * 64;
        int thread = context.localIdx, warp = thread / 32, down = warp / 2, across = warp % 2;
        // A thread loads the same pair of every 16th row, and the same pair of columns of every fourth step.
        int line = thread / 8, step = thread % 8;
        int pair = warp * 8 + thread % 8, to = pair / 4 * 64 + pair % 4;
        int[] left = context.allocateIntLocalArray(512);
        int[] right = context.allocateIntLocalArray(512);
        float[] s00 = context.mmaFragment(0f), s01 = context.mmaFragment(0f);
        float[] s02 = context.mmaFragment(0f), s03 = context.mmaFragment(0f);
        float[] s10 = context.mmaFragment(0f), s11 = context.mmaFragment(0f);
        float[] s12 = context.mmaFragment(0f), s13 = context.mmaFragment(0f);
        for (int d = 0; d < in; d += 16) {
            for (int r = line; r < 64; r += 16) {
                int from = TornadoMath.min(first + r, rows - 1) * in + d + step * 2;
                left[r * 8 + step] = TensorCores.pair(x, from, from + 1);
            }
            for (int k = line % 4; k < 16; k += 4) {
                int from = (panel * in + d + k) * 64 + pair * 2;
                right[to + k * 4] = TensorCores.pair(w, from, from + 1);
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
        int row = context.groupIdx * 64 + down * 32, column = across * 32;
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
            int r = first + i / 64, o = panel * 64 + i % 64;
            if (r < rows && o < out) {
                float v = sums.get(context.groupIdx * 4096 + i);
                if (biased == 1) v += b.get(o);
                y.set(r * out + o, Epilogue.apply(v, r * out + o, each, a));
            }
        }
    }
}
