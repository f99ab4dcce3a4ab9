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
 * A convolution on devices of few, strong cores, as an implicit GEMM. The image is first copied into phase planes with
 * its zero padding, one plane for each remainder of row and column modulo the stride: then 16 neighbouring outputs meet
 * 16 contiguous inputs at every tap, across the ends of rows. The last kernel drops the outputs between two rows.
 */
final class Conv2dSimd {
    private static final int CHANNELS = 8;

    /** Weights that fit into a processor's last-level cache: 4 MiB. */
    private static final int CACHED_WEIGHTS = 1 << 20;

    /** Planes a multiple of this many floats (2 KiB) apart compete for the same cache sets. */
    private static final int ALIASING_FLOATS = 512;

    private Conv2dSimd() {}

    /** The taps of a row are unrolled for these sizes. */
    static boolean fits(Conv2d op) {
        int side = op.weight().dim(2);
        return (side == 1 || side == 3) && op.stride() <= 2;
    }

    static List<KernelCall> calls(Conv2d op, Epilogue epilogue) {
        Value x = op.x(), y = op.y();
        int batch = x.dim(0), in = x.dim(1), out = y.dim(1), rows = y.dim(2), columns = y.dim(3);
        int side = op.weight().dim(2), stride = op.stride(), extra = (side - 1) / stride;
        int panels = (out + CHANNELS - 1) / CHANNELS;
        DevicePanels weight = new DevicePanels(op.weight(), out, CHANNELS, false);
        boolean pointwise = side == 1 && stride == 1 && op.padding() == 0 && rows * columns % Float16s.COUNT == 0;
        // Planes a power of two apart compete for the same cache sets.
        boolean asIs = pointwise && rows * columns % ALIASING_FLOATS != 0, direct = pointwise && out % CHANNELS == 0;
        int pitch = columns + extra, blocks = (rows * pitch + Float16s.COUNT - 1) / Float16s.COUNT;
        int pixels = blocks * Float16s.COUNT, plane = asIs ? pixels : pixels + Float16s.COUNT + extra * (pitch + 1);
        Value from = asIs ? x : Value.scratch(y.dtype(), batch, in, stride * stride, plane);
        Value to = direct ? y : Value.scratch(y.dtype(), batch, panels * CHANNELS, pixels);
        // The smaller operand stays in the cache while the larger one streams past.
        int blocksPerPass = weight.elements() <= CACHED_WEIGHTS ? 1 : batch * blocks;
        Epilogue fused = direct ? epilogue : Epilogue.none(x);
        List<KernelCall> calls = new ArrayList<>();
        if (!asIs)
            calls.add(Kernel.call(
                    batch * in * stride * stride * (rows + extra),
                    Conv2dSimd::conv2dPhasePlanes,
                    x.dim(2),
                    x.dim(3),
                    stride,
                    op.padding(),
                    rows + extra,
                    pitch,
                    plane,
                    x,
                    from));
        calls.add(Kernel.call(
                batch * panels * blocks,
                Conv2dSimd::conv2dSimd,
                batch,
                in,
                panels,
                side,
                stride,
                pitch,
                plane,
                blocks,
                blocksPerPass,
                fused.each(),
                from,
                weight,
                new DevicePanels(op.bias(), out, CHANNELS, false),
                fused.value(),
                to));
        if (!direct)
            calls.add(Kernel.call(
                    batch * out * rows,
                    Conv2dSimd::conv2dCrop,
                    out,
                    panels * CHANNELS,
                    rows,
                    columns,
                    pitch,
                    pixels,
                    epilogue.each(),
                    to,
                    epilogue.value(),
                    y));
        return calls;
    }

    /**
     * Fills one row of a phase plane, [batch, in, stride, stride, plane], each of {@code planeRows} rows of
     * {@code pitch}.
     */
    public static void conv2dPhasePlanes(
            int begin,
            int count,
            int height,
            int width,
            int stride,
            int padding,
            int planeRows,
            int pitch,
            int plane,
            FloatArray x,
            FloatArray y) {
        for (@Parallel int n = 0; n < count; n++) {
            int i = begin + n,
                    row = i % planeRows,
                    phase = i / planeRows % (stride * stride),
                    image = i / (planeRows * stride * stride);
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
     * @param blocksPerPass blocks of 16 pixels that are multiplied with all panels before the next pass
     * @param x as {@link #conv2dPhasePlanes} writes it
     * @param w [panels, in, side, side, 8]
     * @param b [8 · panels]
     * @param a the addend of the {@link Epilogue}
     * @param y [batch, 8 · panels, 16 · blocks]
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
            int blocks,
            int blocksPerPass,
            int each,
            FloatArray x,
            FloatArray w,
            FloatArray b,
            FloatArray a,
            FloatArray y) {
        for (@Parallel int n = 0; n < count; n++) {
            int all = blocks * batch,
                    pass = (begin + n) / (panels * blocksPerPass),
                    i = (begin + n) % (panels * blocksPerPass);
            int passBlocks = TornadoMath.min(blocksPerPass, all - pass * blocksPerPass), panel = i / passBlocks;
            int block = (pass * blocksPerPass + i % passBlocks) % blocks,
                    image = (pass * blocksPerPass + i % passBlocks) / blocks;
            int first = panel * 8, at = panel * in * side * side * 8;
            Float16 s0 = Float16s.broadcast(b.get(first));
            Float16 s1 = Float16s.broadcast(b.get(first + 1));
            Float16 s2 = Float16s.broadcast(b.get(first + 2));
            Float16 s3 = Float16s.broadcast(b.get(first + 3));
            Float16 s4 = Float16s.broadcast(b.get(first + 4));
            Float16 s5 = Float16s.broadcast(b.get(first + 5));
            Float16 s6 = Float16s.broadcast(b.get(first + 6));
            Float16 s7 = Float16s.broadcast(b.get(first + 7));
            int from = image * in * stride * stride * plane + block * 16;
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
            int pixels = blocks * 16, to = (image * panels * 8 + first) * pixels + block * 16;
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

    /** Copies a row of y, {@code columns} of the {@code pitch} columns of x's row, and applies the epilogue. */
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
