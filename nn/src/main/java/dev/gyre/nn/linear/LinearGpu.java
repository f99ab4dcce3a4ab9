package dev.gyre.nn.linear;

import dev.gyre.core.DevicePanels;
import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Target;
import dev.gyre.core.Value;
import dev.gyre.nn.Epilogue;
import dev.gyre.nn.device.WorkGroups;
import java.util.List;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;

/** A linear layer on GPUs: {@link WorkGroups} of rows and outputs. */
final class LinearGpu {
    private LinearGpu() {}

    static List<KernelCall> calls(Linear op, Target target, Epilogue epilogue) {
        int rows = op.y().dim(0), in = op.x().dim(1), out = op.y().dim(1);
        int groups = (rows + WorkGroups.SIDE - 1) / WorkGroups.SIDE * ((out + WorkGroups.SIDE - 1) / WorkGroups.SIDE);
        DevicePanels weight = DevicePanels.of(op.weight(), WorkGroups.SIDE, target);
        int biased = op.bias().isPresent() ? 1 : 0;
        Value bias = op.bias().orElse(op.x()); // not read where there is none
        return List.of(
                weight.f16()
                        ? Kernel.workGroups(
                                groups,
                                WorkGroups.THREADS,
                                LinearGpu::linearWorkGroupsF16,
                                rows,
                                in,
                                out,
                                biased,
                                epilogue.each(),
                                op.x(),
                                weight,
                                bias,
                                epilogue.value(),
                                op.y())
                        : Kernel.workGroups(
                                groups,
                                WorkGroups.THREADS,
                                LinearGpu::linearWorkGroups,
                                rows,
                                in,
                                out,
                                biased,
                                epilogue.each(),
                                op.x(),
                                weight,
                                bias,
                                epilogue.value(),
                                op.y()));
    }

    public static void linearWorkGroups(
            KernelContext context,
            int rows,
            int in,
            int out,
            int biased,
            int each,
            FloatArray x,
            FloatArray w,
            FloatArray b,
            FloatArray a,
            FloatArray y) {
        int blocks = (rows + 63) / 64, panel = context.groupIdx / blocks, first = context.groupIdx % blocks * 64;
        int thread = context.localIdx, row = thread / 16 * 4, column = thread % 16 * 4;
        int line = thread / 4, step = thread % 4 * 4;
        float[] left = context.allocateFloatLocalArray(1024);
        float[] right = context.allocateFloatLocalArray(1024);
        float s00 = 0f, s01 = 0f, s02 = 0f, s03 = 0f;
        float s10 = 0f, s11 = 0f, s12 = 0f, s13 = 0f;
        float s20 = 0f, s21 = 0f, s22 = 0f, s23 = 0f;
        float s30 = 0f, s31 = 0f, s32 = 0f, s33 = 0f;
        for (int d = 0; d < in; d += 16) {
            left[(step + 0) * 64 + line] =
                    WorkGroups.element(x, (first + line) * in + d + step + 0, first + line < rows && d + step + 0 < in);
            left[(step + 1) * 64 + line] =
                    WorkGroups.element(x, (first + line) * in + d + step + 1, first + line < rows && d + step + 1 < in);
            left[(step + 2) * 64 + line] =
                    WorkGroups.element(x, (first + line) * in + d + step + 2, first + line < rows && d + step + 2 < in);
            left[(step + 3) * 64 + line] =
                    WorkGroups.element(x, (first + line) * in + d + step + 3, first + line < rows && d + step + 3 < in);
            right[thread + 0] = WorkGroups.element(w, (panel * in + d) * 64 + thread + 0, d + thread / 64 + 0 < in);
            right[thread + 256] = WorkGroups.element(w, (panel * in + d) * 64 + thread + 256, d + thread / 64 + 4 < in);
            right[thread + 512] = WorkGroups.element(w, (panel * in + d) * 64 + thread + 512, d + thread / 64 + 8 < in);
            right[thread + 768] =
                    WorkGroups.element(w, (panel * in + d) * 64 + thread + 768, d + thread / 64 + 12 < in);
            context.localBarrier();
            for (int k = 0; k < 16; k++) {
                float a0 = left[k * 64 + row], a1 = left[k * 64 + row + 1];
                float a2 = left[k * 64 + row + 2], a3 = left[k * 64 + row + 3];
                float b0 = right[k * 64 + column], b1 = right[k * 64 + column + 1];
                float b2 = right[k * 64 + column + 2], b3 = right[k * 64 + column + 3];
                s00 += a0 * b0;
                s01 += a0 * b1;
                s02 += a0 * b2;
                s03 += a0 * b3;
                s10 += a1 * b0;
                s11 += a1 * b1;
                s12 += a1 * b2;
                s13 += a1 * b3;
                s20 += a2 * b0;
                s21 += a2 * b1;
                s22 += a2 * b2;
                s23 += a2 * b3;
                s30 += a3 * b0;
                s31 += a3 * b1;
                s32 += a3 * b2;
                s33 += a3 * b3;
            }
            context.localBarrier();
        }
        store(rows, out, biased, each, first + row + 0, panel * 64 + column + 0, s00, b, a, y);
        store(rows, out, biased, each, first + row + 0, panel * 64 + column + 1, s01, b, a, y);
        store(rows, out, biased, each, first + row + 0, panel * 64 + column + 2, s02, b, a, y);
        store(rows, out, biased, each, first + row + 0, panel * 64 + column + 3, s03, b, a, y);
        store(rows, out, biased, each, first + row + 1, panel * 64 + column + 0, s10, b, a, y);
        store(rows, out, biased, each, first + row + 1, panel * 64 + column + 1, s11, b, a, y);
        store(rows, out, biased, each, first + row + 1, panel * 64 + column + 2, s12, b, a, y);
        store(rows, out, biased, each, first + row + 1, panel * 64 + column + 3, s13, b, a, y);
        store(rows, out, biased, each, first + row + 2, panel * 64 + column + 0, s20, b, a, y);
        store(rows, out, biased, each, first + row + 2, panel * 64 + column + 1, s21, b, a, y);
        store(rows, out, biased, each, first + row + 2, panel * 64 + column + 2, s22, b, a, y);
        store(rows, out, biased, each, first + row + 2, panel * 64 + column + 3, s23, b, a, y);
        store(rows, out, biased, each, first + row + 3, panel * 64 + column + 0, s30, b, a, y);
        store(rows, out, biased, each, first + row + 3, panel * 64 + column + 1, s31, b, a, y);
        store(rows, out, biased, each, first + row + 3, panel * 64 + column + 2, s32, b, a, y);
        store(rows, out, biased, each, first + row + 3, panel * 64 + column + 3, s33, b, a, y);
    }

    public static void linearWorkGroupsF16(
            KernelContext context,
            int rows,
            int in,
            int out,
            int biased,
            int each,
            FloatArray x,
            HalfFloatArray w,
            FloatArray b,
            FloatArray a,
            FloatArray y) {
        int blocks = (rows + 63) / 64, panel = context.groupIdx / blocks, first = context.groupIdx % blocks * 64;
        int thread = context.localIdx, row = thread / 16 * 4, column = thread % 16 * 4;
        int line = thread / 4, step = thread % 4 * 4;
        float[] left = context.allocateFloatLocalArray(1024);
        float[] right = context.allocateFloatLocalArray(1024);
        float s00 = 0f, s01 = 0f, s02 = 0f, s03 = 0f;
        float s10 = 0f, s11 = 0f, s12 = 0f, s13 = 0f;
        float s20 = 0f, s21 = 0f, s22 = 0f, s23 = 0f;
        float s30 = 0f, s31 = 0f, s32 = 0f, s33 = 0f;
        for (int d = 0; d < in; d += 16) {
            left[(step + 0) * 64 + line] =
                    WorkGroups.element(x, (first + line) * in + d + step + 0, first + line < rows && d + step + 0 < in);
            left[(step + 1) * 64 + line] =
                    WorkGroups.element(x, (first + line) * in + d + step + 1, first + line < rows && d + step + 1 < in);
            left[(step + 2) * 64 + line] =
                    WorkGroups.element(x, (first + line) * in + d + step + 2, first + line < rows && d + step + 2 < in);
            left[(step + 3) * 64 + line] =
                    WorkGroups.element(x, (first + line) * in + d + step + 3, first + line < rows && d + step + 3 < in);
            right[thread + 0] = WorkGroups.elementF16(w, (panel * in + d) * 64 + thread + 0, d + thread / 64 + 0 < in);
            right[thread + 256] =
                    WorkGroups.elementF16(w, (panel * in + d) * 64 + thread + 256, d + thread / 64 + 4 < in);
            right[thread + 512] =
                    WorkGroups.elementF16(w, (panel * in + d) * 64 + thread + 512, d + thread / 64 + 8 < in);
            right[thread + 768] =
                    WorkGroups.elementF16(w, (panel * in + d) * 64 + thread + 768, d + thread / 64 + 12 < in);
            context.localBarrier();
            for (int k = 0; k < 16; k++) {
                float a0 = left[k * 64 + row], a1 = left[k * 64 + row + 1];
                float a2 = left[k * 64 + row + 2], a3 = left[k * 64 + row + 3];
                float b0 = right[k * 64 + column], b1 = right[k * 64 + column + 1];
                float b2 = right[k * 64 + column + 2], b3 = right[k * 64 + column + 3];
                s00 += a0 * b0;
                s01 += a0 * b1;
                s02 += a0 * b2;
                s03 += a0 * b3;
                s10 += a1 * b0;
                s11 += a1 * b1;
                s12 += a1 * b2;
                s13 += a1 * b3;
                s20 += a2 * b0;
                s21 += a2 * b1;
                s22 += a2 * b2;
                s23 += a2 * b3;
                s30 += a3 * b0;
                s31 += a3 * b1;
                s32 += a3 * b2;
                s33 += a3 * b3;
            }
            context.localBarrier();
        }
        store(rows, out, biased, each, first + row + 0, panel * 64 + column + 0, s00, b, a, y);
        store(rows, out, biased, each, first + row + 0, panel * 64 + column + 1, s01, b, a, y);
        store(rows, out, biased, each, first + row + 0, panel * 64 + column + 2, s02, b, a, y);
        store(rows, out, biased, each, first + row + 0, panel * 64 + column + 3, s03, b, a, y);
        store(rows, out, biased, each, first + row + 1, panel * 64 + column + 0, s10, b, a, y);
        store(rows, out, biased, each, first + row + 1, panel * 64 + column + 1, s11, b, a, y);
        store(rows, out, biased, each, first + row + 1, panel * 64 + column + 2, s12, b, a, y);
        store(rows, out, biased, each, first + row + 1, panel * 64 + column + 3, s13, b, a, y);
        store(rows, out, biased, each, first + row + 2, panel * 64 + column + 0, s20, b, a, y);
        store(rows, out, biased, each, first + row + 2, panel * 64 + column + 1, s21, b, a, y);
        store(rows, out, biased, each, first + row + 2, panel * 64 + column + 2, s22, b, a, y);
        store(rows, out, biased, each, first + row + 2, panel * 64 + column + 3, s23, b, a, y);
        store(rows, out, biased, each, first + row + 3, panel * 64 + column + 0, s30, b, a, y);
        store(rows, out, biased, each, first + row + 3, panel * 64 + column + 1, s31, b, a, y);
        store(rows, out, biased, each, first + row + 3, panel * 64 + column + 2, s32, b, a, y);
        store(rows, out, biased, each, first + row + 3, panel * 64 + column + 3, s33, b, a, y);
    }

    private static void store(
            int rows,
            int out,
            int biased,
            int each,
            int row,
            int column,
            float s,
            FloatArray b,
            FloatArray a,
            FloatArray y) {
        if (row < rows && column < out) {
            float v = s;
            if (biased == 1) v += b.get(column);
            y.set(row * out + column, Epilogue.apply(v, row * out + column, each, a));
        }
    }
}
