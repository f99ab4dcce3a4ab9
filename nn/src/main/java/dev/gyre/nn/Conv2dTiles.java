package dev.gyre.nn;

import dev.gyre.core.Panels;
import dev.gyre.core.Step;
import dev.gyre.core.Value;
import java.util.List;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.vectors.Float16;

/**
 * A convolution on devices of few, strong cores, as a matrix product whose right side is never written down. The picture is first
 * laid out with its zeros around it and, for a stride above 1, one plane for each remainder of row and column: then 16
 * neighbouring outputs meet 16 neighbouring inputs at every tap, wherever rows end. What comes out for the columns between two
 * rows is left behind by the last step.
 */
final class Conv2dTiles {
    private static final int CHANNELS = 8;

    private Conv2dTiles() {}

    /** TornadoVM unrolls the loops over taps, and beyond these sizes it fails or, worse, gives other numbers. */
    static boolean fits(Conv2d op) {
        int side = op.weight().dim(2);
        return (side == 1 || side == 3) && op.stride() <= 2;
    }

    static List<Step> steps(Conv2d op) {
        Value x = op.x(), y = op.y();
        int batch = x.dim(0), in = x.dim(1), out = y.dim(1), rows = y.dim(2), columns = y.dim(3);
        int side = op.weight().dim(2), stride = op.stride(), more = (side - 1) / stride;
        int panels = (out + CHANNELS - 1) / CHANNELS;
        Panels weight = new Panels(op.weight(), out, CHANNELS, false);
        boolean plain = side == 1 && stride == 1 && op.padding() == 0;
        plain = plain && rows * columns % Lanes.COUNT == 0 && out % CHANNELS == 0;
        int pitch = columns + more, tiles = (rows * pitch + Lanes.COUNT - 1) / Lanes.COUNT;
        int pixels = tiles * Lanes.COUNT, plane = plain ? pixels : pixels + more * (pitch + 1);
        Value from = plain ? x : Value.scratch(y.dtype(), batch, in, stride * stride, plane);
        Value to = plain ? y : Value.scratch(y.dtype(), batch, panels * CHANNELS, pixels);
        Step product = Step.of(
                batch * panels * tiles,
                Conv2dTiles::conv2dTiles,
                batch,
                in,
                panels,
                side,
                stride,
                pitch,
                plane,
                tiles,
                from,
                weight,
                new Panels(op.bias(), out, CHANNELS, false),
                to);
        if (plain) return List.of(product);
        Step spread = Step.of(
                batch * in * stride * stride * (rows + more),
                Conv2dTiles::conv2dSpread,
                x.dim(2),
                x.dim(3),
                stride,
                op.padding(),
                rows + more,
                pitch,
                plane,
                x,
                from);
        return List.of(
                spread,
                product,
                Step.of(
                        batch * out * rows,
                        Conv2dTiles::conv2dCut,
                        out,
                        panels * CHANNELS,
                        rows,
                        columns,
                        pitch,
                        pixels,
                        to,
                        y));
    }

    /** A row of one of the planes, [batch, in, stride, stride, plane], each of {@code tall} rows of {@code pitch}. */
    public static void conv2dSpread(
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
     * @param x as {@link #conv2dSpread} leaves it
     * @param w [panels, in, side, side, 8]
     * @param b [8 · panels]
     * @param y [batch, 8 · panels, 16 · tiles]
     */
    public static void conv2dTiles(
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
            FloatArray x,
            FloatArray w,
            FloatArray b,
            FloatArray y) {
        for (@Parallel int n = 0; n < count; n++) {
            int i = begin + n, tile = i % tiles, image = i / tiles % batch, panel = i / (tiles * batch);
            int first = panel * 8, at = panel * in * side * side * 8;
            Float16 s0 = Lanes.all(b.get(first));
            Float16 s1 = Lanes.all(b.get(first + 1));
            Float16 s2 = Lanes.all(b.get(first + 2));
            Float16 s3 = Lanes.all(b.get(first + 3));
            Float16 s4 = Lanes.all(b.get(first + 4));
            Float16 s5 = Lanes.all(b.get(first + 5));
            Float16 s6 = Lanes.all(b.get(first + 6));
            Float16 s7 = Lanes.all(b.get(first + 7));
            for (int c = 0; c < in; c++) {
                int planes = (image * in + c) * stride * stride;
                for (int u = 0; u < side; u++)
                    for (int t = 0; t < side; t++) {
                        int phase = planes + u % stride * stride + t % stride;
                        Float16 v = Lanes.load(x, phase * plane + u / stride * pitch + t / stride + tile * 16);
                        s0 = Lanes.plus(s0, v, w.get(at + 0));
                        s1 = Lanes.plus(s1, v, w.get(at + 1));
                        s2 = Lanes.plus(s2, v, w.get(at + 2));
                        s3 = Lanes.plus(s3, v, w.get(at + 3));
                        s4 = Lanes.plus(s4, v, w.get(at + 4));
                        s5 = Lanes.plus(s5, v, w.get(at + 5));
                        s6 = Lanes.plus(s6, v, w.get(at + 6));
                        s7 = Lanes.plus(s7, v, w.get(at + 7));
                        at += 8;
                    }
            }
            int pixels = tiles * 16, to = (image * panels * 8 + first) * pixels + tile * 16;
            Lanes.store(y, to, s0);
            Lanes.store(y, to + 1 * pixels, s1);
            Lanes.store(y, to + 2 * pixels, s2);
            Lanes.store(y, to + 3 * pixels, s3);
            Lanes.store(y, to + 4 * pixels, s4);
            Lanes.store(y, to + 5 * pixels, s5);
            Lanes.store(y, to + 6 * pixels, s6);
            Lanes.store(y, to + 7 * pixels, s7);
        }
    }

    /** A row of y: {@code columns} of the {@code pitch} that a row of x has. */
    public static void conv2dCut(
            int begin,
            int count,
            int out,
            int channels,
            int rows,
            int columns,
            int pitch,
            int pixels,
            FloatArray x,
            FloatArray y) {
        for (@Parallel int n = 0; n < count; n++) {
            int i = begin + n, row = i % rows, o = i / rows % out, image = i / (rows * out);
            int from = (image * channels + o) * pixels + row * pitch;
            for (int c = 0; c < columns; c++) y.set(i * columns + c, x.get(from + c));
        }
    }
}
