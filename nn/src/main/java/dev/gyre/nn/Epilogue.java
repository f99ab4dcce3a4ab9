package dev.gyre.nn;

import dev.gyre.core.Value;
import dev.gyre.nn.device.Float16s;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.vectors.Float16;

/**
 * What a kernel adds to each element before it stores it: a residual, or one element per channel. Kernels take
 * {@code each} and the array of {@code value} as arguments and call {@link #apply(float, int, int, FloatArray)}, which
 * TornadoVM inlines.
 *
 * @param value element i / each is added to element i
 * @param each consecutive elements that share an addend; 0 for no addend
 */
public record Epilogue(Value value, int each) {
    /**
     * No addend.
     *
     * @param unread any value: a kernel needs an array to pass
     */
    public static Epilogue none(Value unread) {
        return new Epilogue(unread, 0);
    }

    /** The sum of v, which becomes element i, and its addend. */
    public static float apply(float v, int i, int each, FloatArray a) {
        float sum = v;
        if (each > 0)
            sum += a.get(i / TornadoMath.max(each, 1)); // each is a compile-time constant, and 0 must not divide
        return sum;
    }

    /** The sums of 16 elements from i on and their addends: one for all of them, or one each. */
    public static Float16 apply(Float16 v, int i, int each, FloatArray a) {
        Float16 sum = v;
        if (each == 1) sum = Float16.add(sum, Float16s.load(a, i));
        if (each > 1) sum = Float16.add(sum, Float16s.broadcast(a.get(i / TornadoMath.max(each, 1))));
        return sum;
    }
}
