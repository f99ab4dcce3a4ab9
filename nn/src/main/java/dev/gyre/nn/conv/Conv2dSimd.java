package dev.gyre.nn.conv;

import dev.gyre.core.DevicePanels;
import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Value;
import dev.gyre.nn.Epilogue;
import dev.gyre.nn.device.Float16s;
import java.util.ArrayList;
import java.util.List;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.vectors.Float16;

/**
 * A convolution on devices of few, strong cores, as a matrix product whose right side is never written down. The picture is first
 * laid out with its zeros around it and, for a stride above 1, one plane for each remainder of row and column: then 16
 * neighbouring outputs meet 16 neighbouring inputs at every tap, wherever rows end. What comes out for the columns between two
 * rows is left behind by the last step.
 */
final class Conv2dSimd {
    private static final int CHANNELS = 8;

    /** Weights that a processor's last cache holds: 4 MiB. */
    private static final int CACHED_WEIGHTS = 1 << 20;

    /** Floats of which no multiple should lie between two planes: 2 KiB. */
    private static final int ALIASING_FLOATS = 512;

    private Conv2dSimd() {}

    /** A row's taps are written out for these. */
    static boolean fits(Conv2d op) {
        int side = op.weight().dim(2);
        return (side == 1 || side == 3) && op.stride() <= 2;
    }

    static List<KernelCall> calls(Conv2d op, Epilogue addend) {
        Value x = op.x(), y = op.y();
        int batch = x.dim(0), in = x.dim(1), out = y.dim(1), rows = y.dim(2), columns = y.dim(3);
        int side = op.weight().dim(2), stride = op.stride(), more = (side - 1) / stride;
        int panels = (out + CHANNELS - 1) / CHANNELS;
        DevicePanels weight = new DevicePanels(op.weight(), out, CHANNELS, false);
        boolean pointwise = side == 1 && stride == 1 && op.padding() == 0 && rows * columns % Float16s.COUNT == 0;
        // Planes that lie a power of two apart fall on each other in caches.
        boolean asIs = pointwise && rows * columns % ALIASING_FLOATS != 0, straight = pointwise && out % CHANNELS == 0;
        int pitch = columns + more, tiles = (rows * pitch + Float16s.COUNT - 1) / Float16s.COUNT;
        int pixels = tiles * Float16s.COUNT, plane = asIs ? pixels : pixels + Float16s.COUNT + more * (pitch + 1);
        Value from = asIs ? x : Value.scratch(y.dtype(), batch, in, stride * stride, plane);
        Value to = straight ? y : Value.scratch(y.dtype(), batch, panels * CHANNELS, pixels);
        // What is small stays in the cache while the other passes by.
        int near = weight.elements() <= CACHED_WEIGHTS ? 1 : batch * tiles;
        Epilogue now = straight ? addend : Epilogue.none(x);
        List<KernelCall> steps = new ArrayList<>();
        if (!asIs)
            steps.add(Kernel.call(
                    batch * in * stride * stride * (rows + more),
                    Conv2dSimd::conv2dPhasePlanes,
                    x.dim(2),
                    x.dim(3),
                    stride,
                    op.padding(),
                    rows + more,
                    pitch,
                    plane,
                    x,
                    from));
        steps.add(Kernel.call(
                batch * panels * tiles,
                Conv2dSimd::conv2dSimd,
                batch,
                in,
                panels,
                side,
                stride,
                pitch,
                plane,
                tiles,
                near,
                now.each(),
                from,
                weight,
                new DevicePanels(op.bias(), out, CHANNELS, false),
                now.value(),
                to));
        if (!straight)
            steps.add(Kernel.call(
                    batch * out * rows,
                    Conv2dSimd::conv2dCrop,
                    out,
                    panels * CHANNELS,
                    rows,
                    columns,
                    pitch,
                    pixels,
                    addend.each(),
                    to,
                    addend.value(),
                    y));
        return steps;
    }

    /** A row of one of the planes, [batch, in, stride, stride, plane], each of {@code tall} rows of {@code pitch}. */
    public static void conv2dPhasePlanes(
            int begin,
            int count,
            int height,
            int width,
            int stride,
            int padding,
            int tall,
            int pitch,
            int plane,
            FloatArray x,
            FloatArray y) {
        for (@Parallel int n = 0; n < count; n++) {
            int i = begin + n,
                    row = i % tall,
                    phase = i / tall % (stride * stride),
                    image = i / (tall * stride * stride);
            int h = row * stride + phase / stride - padding, shift = phase % stride - padding;
            int from = (image * height + h) * width, to = (image * stride * stride + phase) * plane + row * pitch;
            for (int c = 0; c < pitch; c++) {
                int l = c * stride + shift;
                float v = 0f;
                if (h >= 0 && h < height && l >= 0 && l < width) v = x.get(from + l);
                y.set(to + c, v);
            }
        }
    }

    /**
     * 8 output channels of 16 pixels.
     *
     * @param near tiles that meet all panels before the next ones do
     * @param x as {@link #conv2dPhasePlanes} leaves it
     * @param w [panels, in, side, side, 8]
     * @param b [8 · panels]
     * @param a what is added, as {@link Epilogue} says
     * @param y [batch, 8 · panels, 16 · tiles]
     */
    public static void conv2dSimd(
            int begin,
            int count,
            int batch,
            int in,
            int panels,
            int side,
            int stride,
            int pitch,
            int plane,
            int tiles,
            int near,
            int each,
            FloatArray x,
            FloatArray w,
            FloatArray b,
            FloatArray a,
            FloatArray y) {
        for (@Parallel int n = 0; n < count; n++) {
            int all = tiles * batch, group = (begin + n) / (panels * near), i = (begin + n) % (panels * near);
            int some = TornadoMath.min(near, all - group * near), panel = i / some;
            int tile = (group * near + i % some) % tiles, image = (group * near + i % some) / tiles;
            int first = panel * 8, at = panel * in * side * side * 8;
            Float16 s0 = Float16s.broadcast(b.get(first));
            Float16 s1 = Float16s.broadcast(b.get(first + 1));
            Float16 s2 = Float16s.broadcast(b.get(first + 2));
            Float16 s3 = Float16s.broadcast(b.get(first + 3));
            Float16 s4 = Float16s.broadcast(b.get(first + 4));
            Float16 s5 = Float16s.broadcast(b.get(first + 5));
            Float16 s6 = Float16s.broadcast(b.get(first + 6));
            Float16 s7 = Float16s.broadcast(b.get(first + 7));
            int from = image * in * stride * stride * plane + tile * 16;
            for (int c = 0; c < Float16s.tripCount(in, n); c++) {
                for (int u = 0; u < Float16s.tripCount(side, n); u++) {
                    int row = from + u % stride * stride * plane + u / stride * pitch;
                    Float16 v = Float16s.load(x, row);
                    s0 = Float16s.multiplyAdd(s0, v, w.get(at));
                    s1 = Float16s.multiplyAdd(s1, v, w.get(at + 1));
                    s2 = Float16s.multiplyAdd(s2, v, w.get(at + 2));
                    s3 = Float16s.multiplyAdd(s3, v, w.get(at + 3));
                    s4 = Float16s.multiplyAdd(s4, v, w.get(at + 4));
                    s5 = Float16s.multiplyAdd(s5, v, w.get(at + 5));
                    s6 = Float16s.multiplyAdd(s6, v, w.get(at + 6));
                    s7 = Float16s.multiplyAdd(s7, v, w.get(at + 7));
                    if (side == 3) {
                        Float16 v1 = Float16s.load(x, row + 1 % stride * plane + 1 / stride);
                        s0 = Float16s.multiplyAdd(s0, v1, w.get(at + 8));
                        s1 = Float16s.multiplyAdd(s1, v1, w.get(at + 9));
                        s2 = Float16s.multiplyAdd(s2, v1, w.get(at + 10));
                        s3 = Float16s.multiplyAdd(s3, v1, w.get(at + 11));
                        s4 = Float16s.multiplyAdd(s4, v1, w.get(at + 12));
                        s5 = Float16s.multiplyAdd(s5, v1, w.get(at + 13));
                        s6 = Float16s.multiplyAdd(s6, v1, w.get(at + 14));
                        s7 = Float16s.multiplyAdd(s7, v1, w.get(at + 15));
                        Float16 v2 = Float16s.load(x, row + 2 % stride * plane + 2 / stride);
                        s0 = Float16s.multiplyAdd(s0, v2, w.get(at + 16));
                        s1 = Float16s.multiplyAdd(s1, v2, w.get(at + 17));
                        s2 = Float16s.multiplyAdd(s2, v2, w.get(at + 18));
                        s3 = Float16s.multiplyAdd(s3, v2, w.get(at + 19));
                        s4 = Float16s.multiplyAdd(s4, v2, w.get(at + 20));
                        s5 = Float16s.multiplyAdd(s5, v2, w.get(at + 21));
                        s6 = Float16s.multiplyAdd(s6, v2, w.get(at + 22));
                        s7 = Float16s.multiplyAdd(s7, v2, w.get(at + 23));
                    }
                    at += 8 * side;
                }
                from += stride * stride * plane;
            }
            int pixels = tiles * 16, to = (image * panels * 8 + first) * pixels + tile * 16;
            Float16s.store(y, to, Epilogue.apply(s0, to, each, a));
            Float16s.store(y, to + 1 * pixels, Epilogue.apply(s1, to + 1 * pixels, each, a));
            Float16s.store(y, to + 2 * pixels, Epilogue.apply(s2, to + 2 * pixels, each, a));
            Float16s.store(y, to + 3 * pixels, Epilogue.apply(s3, to + 3 * pixels, each, a));
            Float16s.store(y, to + 4 * pixels, Epilogue.apply(s4, to + 4 * pixels, each, a));
            Float16s.store(y, to + 5 * pixels, Epilogue.apply(s5, to + 5 * pixels, each, a));
            Float16s.store(y, to + 6 * pixels, Epilogue.apply(s6, to + 6 * pixels, each, a));
            Float16s.store(y, to + 7 * pixels, Epilogue.apply(s7, to + 7 * pixels, each, a));
        }
    }

    /** A row of y: {@code columns} of the {@code pitch} that a row of x has, and what is added to them. */
    public static void conv2dCrop(
            int begin,
            int count,
            int out,
            int channels,
            int rows,
            int columns,
            int pitch,
            int pixels,
            int each,
            FloatArray x,
            FloatArray a,
            FloatArray y) {
        for (@Parallel int n = 0; n < count; n++) {
            int i = begin + n, row = i % rows, o = i / rows % out, image = i / (rows * out);
            int from = (image * channels + o) * pixels + row * pitch;
            for (int c = 0; c < columns; c++)
                y.set(i * columns + c, Epilogue.apply(x.get(from + c), i * columns + c, each, a));
        }
    }
}
