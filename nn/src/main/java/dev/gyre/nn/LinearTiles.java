package dev.gyre.nn;

import dev.gyre.core.Panels;
import dev.gyre.core.Step;
import dev.gyre.core.Value;
import java.util.List;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.vectors.Float16;

/** A linear layer on devices of few, strong cores: one thread makes 6 rows of 16 outputs, which stay in vector registers. */
final class LinearTiles {
    private static final int ROWS = 6;

    private LinearTiles() {}

    static List<Step> steps(Linear op, Addend addend) {
        int rows = op.y().dim(0), in = op.x().dim(1), out = op.y().dim(1);
        int panels = (out + Lanes.COUNT - 1) / Lanes.COUNT, pitch = panels * Lanes.COUNT;
        int tiles = (rows + ROWS - 1) / ROWS * panels;
        Panels weight = new Panels(op.weight(), out, Lanes.COUNT, false);
        boolean whole = pitch == out;
        Value y = whole ? op.y() : Value.scratch(op.y().dtype(), rows, pitch);
        Panels bias = op.bias().map(b -> new Panels(b, out, Lanes.COUNT, false)).orElse(weight);
        Addend now = whole ? addend : Addend.none(op.x());
        Step product = Step.of(
                tiles,
                LinearTiles::linearTiles,
                rows,
                in,
                pitch,
                op.bias().isPresent() ? 1 : 0,
                now.each(),
                op.x(),
                weight,
                bias,
                now.value(),
                y);
        return whole
                ? List.of(product)
                : List.of(
                        product,
                        Step.of(
                                rows * out,
                                LinearTiles::linearCut,
                                out,
                                pitch,
                                addend.each(),
                                y,
                                addend.value(),
                                op.y()));
    }

    /**
     * Rows that are not there are the last one again, and are not stored.
     *
     * @param biased 1, or 0 where {@code b} is not to be added
     * @param w [pitch / 16, in, 16]
     * @param b [pitch], or anything
     * @param a what is added, as {@link Addend} says
     * @param y [rows, pitch]
     */
    public static void linearTiles(
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
            Float16 s0 = Float16.mult(Lanes.load(b, panel * 16 * biased), biased);
            Float16 s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0;
            int from = panel * in * 16;
            for (int k = 0; k < Lanes.turns(in, n); k++) {
                Float16 v = Lanes.load(w, from);
                s0 = Lanes.plus(s0, v, x.get(x0 + k));
                s1 = Lanes.plus(s1, v, x.get(x1 + k));
                s2 = Lanes.plus(s2, v, x.get(x2 + k));
                s3 = Lanes.plus(s3, v, x.get(x3 + k));
                s4 = Lanes.plus(s4, v, x.get(x4 + k));
                s5 = Lanes.plus(s5, v, x.get(x5 + k));
                from += 16;
            }
            int at = row * pitch + panel * 16;
            Lanes.store(y, at, Addend.plus(s0, at, each, a));
            if (row + 1 < rows) Lanes.store(y, at + 1 * pitch, Addend.plus(s1, at + 1 * pitch, each, a));
            if (row + 2 < rows) Lanes.store(y, at + 2 * pitch, Addend.plus(s2, at + 2 * pitch, each, a));
            if (row + 3 < rows) Lanes.store(y, at + 3 * pitch, Addend.plus(s3, at + 3 * pitch, each, a));
            if (row + 4 < rows) Lanes.store(y, at + 4 * pitch, Addend.plus(s4, at + 4 * pitch, each, a));
            if (row + 5 < rows) Lanes.store(y, at + 5 * pitch, Addend.plus(s5, at + 5 * pitch, each, a));
        }
    }

    /** The columns of x [rows, pitch] that are outputs, and what is added to them. */
    public static void linearCut(
            int begin, int count, int out, int pitch, int each, FloatArray x, FloatArray a, FloatArray y) {
        for (@Parallel int n = 0; n < count; n++) {
            int i = begin + n;
            y.set(i, Addend.plus(x.get(i / out * pitch + i % out), i, each, a));
        }
    }
}
