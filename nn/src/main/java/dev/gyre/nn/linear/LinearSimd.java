package dev.gyre.nn.linear;

import dev.gyre.core.DevicePanels;
import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Value;
import dev.gyre.nn.Epilogue;
import dev.gyre.nn.device.Float16s;
import java.util.List;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.vectors.Float16;

/** A linear layer on devices of few, strong cores: one thread computes 6 rows of 16 outputs in vector registers. */
final class LinearSimd {
    private static final int ROWS = 6;

    private LinearSimd() {}

    static List<KernelCall> calls(Linear op, Epilogue epilogue) {
        int rows = op.y().dim(0), in = op.x().dim(1), out = op.y().dim(1);
        int panels = (out + Float16s.COUNT - 1) / Float16s.COUNT, pitch = panels * Float16s.COUNT;
        int blocks = (rows + ROWS - 1) / ROWS * panels;
        DevicePanels weight = new DevicePanels(op.weight(), out, Float16s.COUNT, false);
        boolean direct = pitch == out;
        Value y = direct ? op.y() : Value.scratch(op.y().dtype(), rows, pitch);
        DevicePanels bias = op.bias()
                .map(b -> new DevicePanels(b, out, Float16s.COUNT, false))
                .orElse(weight);
        Epilogue fused = direct ? epilogue : Epilogue.none(op.x());
        KernelCall product = Kernel.call(
                blocks,
                LinearSimd::linearSimd,
                rows,
                in,
                pitch,
                op.bias().isPresent() ? 1 : 0,
                fused.each(),
                op.x(),
                weight,
                bias,
                fused.value(),
                y);
        return direct
                ? List.of(product)
                : List.of(
                        product,
                        Kernel.call(
                                rows * out,
                                LinearSimd::linearCrop,
                                out,
                                pitch,
                                epilogue.each(),
                                y,
                                epilogue.value(),
                                op.y()));
    }

    /**
     * 6 rows of 16 outputs. Rows beyond the last repeat it and are not stored.
     *
     * @param biased 1, or 0 where {@code b} is not added
     * @param w [pitch / 16, in, 16]
     * @param b [pitch]; ignored where {@code biased} is 0
     * @param a the addend of the {@link Epilogue}
     * @param y [rows, pitch]
     */
    public static void linearSimd(
            int begin,
            int count,
            int rows,
            int in,
            int pitch,
            int biased,
            int each,
            FloatArray x,
            FloatArray w,
            FloatArray b,
            FloatArray a,
            FloatArray y) {
        for (@Parallel int n = 0; n < count; n++) {
            int blocks = (rows + 5) / 6, panel = (begin + n) / blocks, row = (begin + n) % blocks * 6, last = rows - 1;
            int x0 = row * in;
            int x1 = TornadoMath.min(row + 1, last) * in;
            int x2 = TornadoMath.min(row + 2, last) * in;
            int x3 = TornadoMath.min(row + 3, last) * in;
            int x4 = TornadoMath.min(row + 4, last) * in;
            int x5 = TornadoMath.min(row + 5, last) * in;
            Float16 s0 = Float16.mult(Float16s.load(b, panel * 16 * biased), biased);
            Float16 s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0;
            int from = panel * in * 16;
            for (int k = 0; k < Float16s.tripCount(in, n); k++) {
                Float16 v = Float16s.load(w, from);
                s0 = Float16s.multiplyAdd(s0, v, x.get(x0 + k));
                s1 = Float16s.multiplyAdd(s1, v, x.get(x1 + k));
                s2 = Float16s.multiplyAdd(s2, v, x.get(x2 + k));
                s3 = Float16s.multiplyAdd(s3, v, x.get(x3 + k));
                s4 = Float16s.multiplyAdd(s4, v, x.get(x4 + k));
                s5 = Float16s.multiplyAdd(s5, v, x.get(x5 + k));
                from += 16;
            }
            int at = row * pitch + panel * 16;
            Float16s.store(y, at, Epilogue.apply(s0, at, each, a));
            if (row + 1 < rows) Float16s.store(y, at + 1 * pitch, Epilogue.apply(s1, at + 1 * pitch, each, a));
            if (row + 2 < rows) Float16s.store(y, at + 2 * pitch, Epilogue.apply(s2, at + 2 * pitch, each, a));
            if (row + 3 < rows) Float16s.store(y, at + 3 * pitch, Epilogue.apply(s3, at + 3 * pitch, each, a));
            if (row + 4 < rows) Float16s.store(y, at + 4 * pitch, Epilogue.apply(s4, at + 4 * pitch, each, a));
            if (row + 5 < rows) Float16s.store(y, at + 5 * pitch, Epilogue.apply(s5, at + 5 * pitch, each, a));
        }
    }

    /** Copies the columns of x [rows, pitch] that are outputs and applies the epilogue. */
    public static void linearCrop(
            int begin, int count, int out, int pitch, int each, FloatArray x, FloatArray a, FloatArray y) {
        for (@Parallel int n = 0; n < count; n++) {
            int i = begin + n;
            y.set(i, Epilogue.apply(x.get(i / out * pitch + i % out), i, each, a));
        }
    }
}
