package dev.gyre.nn.conv;

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

/** A convolution on GPUs: {@link WorkGroups} of output channels and pixels, as an implicit GEMM. */
final class Conv2dGpu {
    private Conv2dGpu() {}

    static List<KernelCall> calls(Conv2d op, Target target, Epilogue epilogue) {
        Value x = op.x(), y = op.y();
        int out = y.dim(1), pixels = y.dim(0) * y.dim(2) * y.dim(3);
        int groups = (pixels + WorkGroups.SIDE - 1) / WorkGroups.SIDE * ((out + WorkGroups.SIDE - 1) / WorkGroups.SIDE);
        DevicePanels weight = DevicePanels.of(op.weight(), WorkGroups.SIDE, target);
        Object[] arguments = {
            x.dim(1),
            x.dim(2),
            x.dim(3),
            out,
            y.dim(2),
            y.dim(3),
            op.weight().dim(2),
            op.stride(),
            op.padding(),
            pixels,
            epilogue.each(),
            x,
            weight,
            op.bias(),
            epilogue.value(),
            y
        };
        return List.of(
                weight.f16()
                        ? Kernel.workGroups(groups, WorkGroups.THREADS, Conv2dGpu::conv2dWorkGroupsF16, arguments)
                        : Kernel.workGroups(groups, WorkGroups.THREADS, Conv2dGpu::conv2dWorkGroups, arguments));
    }

    public static void conv2dWorkGroups(
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
            FloatArray x,
            FloatArray w,
            FloatArray b,
            FloatArray a,
            FloatArray y) {
        int blocks = (pixels + 63) / 64, panel = context.groupIdx / blocks, first = context.groupIdx % blocks * 64;
        int thread = context.localIdx, row = thread / 16 * 4, column = thread % 16 * 4, depth = in * side * side;
        // A thread loads the window of one pixel.
        int pixel = first + thread % 64, image = pixel / (columns * rows);
        int top = pixel / columns % rows * stride - padding, start = pixel % columns * stride - padding;
        float[] left = context.allocateFloatLocalArray(1024);
        float[] right = context.allocateFloatLocalArray(1024);
        float s00 = 0f, s01 = 0f, s02 = 0f, s03 = 0f;
        float s10 = 0f, s11 = 0f, s12 = 0f, s13 = 0f;
        float s20 = 0f, s21 = 0f, s22 = 0f, s23 = 0f;
        float s30 = 0f, s31 = 0f, s32 = 0f, s33 = 0f;
        for (int d = 0; d < depth; d += 16) {
            left[thread + 0] =
                    WorkGroups.element(w, (panel * depth + d) * 64 + thread + 0, d + thread / 64 + 0 < depth);
            left[thread + 256] =
                    WorkGroups.element(w, (panel * depth + d) * 64 + thread + 256, d + thread / 64 + 4 < depth);
            left[thread + 512] =
                    WorkGroups.element(w, (panel * depth + d) * 64 + thread + 512, d + thread / 64 + 8 < depth);
            left[thread + 768] =
                    WorkGroups.element(w, (panel * depth + d) * 64 + thread + 768, d + thread / 64 + 12 < depth);
            right[thread + 0] =
                    inputAt(d + thread / 64 + 0, in, height, width, side, image, top, start, pixel < pixels, x);
            right[thread + 256] =
                    inputAt(d + thread / 64 + 4, in, height, width, side, image, top, start, pixel < pixels, x);
            right[thread + 512] =
                    inputAt(d + thread / 64 + 8, in, height, width, side, image, top, start, pixel < pixels, x);
            right[thread + 768] =
                    inputAt(d + thread / 64 + 12, in, height, width, side, image, top, start, pixel < pixels, x);
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
        store(out, rows * columns, pixels, each, panel * 64 + row + 0, first + column + 0, s00, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 0, first + column + 1, s01, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 0, first + column + 2, s02, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 0, first + column + 3, s03, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 1, first + column + 0, s10, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 1, first + column + 1, s11, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 1, first + column + 2, s12, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 1, first + column + 3, s13, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 2, first + column + 0, s20, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 2, first + column + 1, s21, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 2, first + column + 2, s22, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 2, first + column + 3, s23, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 3, first + column + 0, s30, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 3, first + column + 1, s31, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 3, first + column + 2, s32, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 3, first + column + 3, s33, b, a, y);
    }

    public static void conv2dWorkGroupsF16(
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
            FloatArray x,
            HalfFloatArray w,
            FloatArray b,
            FloatArray a,
            FloatArray y) {
        int blocks = (pixels + 63) / 64, panel = context.groupIdx / blocks, first = context.groupIdx % blocks * 64;
        int thread = context.localIdx, row = thread / 16 * 4, column = thread % 16 * 4, depth = in * side * side;
        // A thread loads the window of one pixel.
        int pixel = first + thread % 64, image = pixel / (columns * rows);
        int top = pixel / columns % rows * stride - padding, start = pixel % columns * stride - padding;
        float[] left = context.allocateFloatLocalArray(1024);
        float[] right = context.allocateFloatLocalArray(1024);
        float s00 = 0f, s01 = 0f, s02 = 0f, s03 = 0f;
        float s10 = 0f, s11 = 0f, s12 = 0f, s13 = 0f;
        float s20 = 0f, s21 = 0f, s22 = 0f, s23 = 0f;
        float s30 = 0f, s31 = 0f, s32 = 0f, s33 = 0f;
        for (int d = 0; d < depth; d += 16) {
            left[thread + 0] =
                    WorkGroups.elementF16(w, (panel * depth + d) * 64 + thread + 0, d + thread / 64 + 0 < depth);
            left[thread + 256] =
                    WorkGroups.elementF16(w, (panel * depth + d) * 64 + thread + 256, d + thread / 64 + 4 < depth);
            left[thread + 512] =
                    WorkGroups.elementF16(w, (panel * depth + d) * 64 + thread + 512, d + thread / 64 + 8 < depth);
            left[thread + 768] =
                    WorkGroups.elementF16(w, (panel * depth + d) * 64 + thread + 768, d + thread / 64 + 12 < depth);
            right[thread + 0] =
                    inputAt(d + thread / 64 + 0, in, height, width, side, image, top, start, pixel < pixels, x);
            right[thread + 256] =
                    inputAt(d + thread / 64 + 4, in, height, width, side, image, top, start, pixel < pixels, x);
            right[thread + 512] =
                    inputAt(d + thread / 64 + 8, in, height, width, side, image, top, start, pixel < pixels, x);
            right[thread + 768] =
                    inputAt(d + thread / 64 + 12, in, height, width, side, image, top, start, pixel < pixels, x);
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
        store(out, rows * columns, pixels, each, panel * 64 + row + 0, first + column + 0, s00, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 0, first + column + 1, s01, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 0, first + column + 2, s02, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 0, first + column + 3, s03, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 1, first + column + 0, s10, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 1, first + column + 1, s11, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 1, first + column + 2, s12, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 1, first + column + 3, s13, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 2, first + column + 0, s20, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 2, first + column + 1, s21, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 2, first + column + 2, s22, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 2, first + column + 3, s23, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 3, first + column + 0, s30, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 3, first + column + 1, s31, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 3, first + column + 2, s32, b, a, y);
        store(out, rows * columns, pixels, each, panel * 64 + row + 3, first + column + 3, s33, b, a, y);
    }

    /**
     * The element of x that step {@code k} of [in, side, side] meets for a window at row {@code top} and column
     * {@code start}; 0 in the padding.
     */
    private static float inputAt(
            int k,
            int in,
            int height,
            int width,
            int side,
            int image,
            int top,
            int start,
            boolean valid,
            FloatArray x) {
        int c = k / (side * side), h = top + k / side % side, l = start + k % side;
        float v = 0f;
        if (valid && c < in && h >= 0 && h < height && l >= 0 && l < width)
            v = x.get(((image * in + c) * height + h) * width + l);
        return v;
    }

    private static void store(
            int out,
            int plane,
            int pixels,
            int each,
            int channel,
            int pixel,
            float s,
            FloatArray b,
            FloatArray a,
            FloatArray y) {
        if (channel < out && pixel < pixels) {
            int i = (pixel / plane * out + channel) * plane + pixel % plane;
            y.set(i, Epilogue.apply(s + b.get(channel), i, each, a));
        }
    }
}
