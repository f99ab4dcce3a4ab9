package dev.gyre.nn.device;

import dev.gyre.core.Value;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.vectors.Float16;

/**
 * What a product's device kernels add to what they make, before it is written.
 *
 * @param value element i / each is added to element i
 * @param each how many elements the same number is added to; 0 where nothing is
 */
public record Epilogue(Value value, int each) {
    /**
     * Nothing.
     *
     * @param unread any value: a kernel wants an array
     */
    public static Epilogue none(Value unread) {
        return new Epilogue(unread, 0);
    }

    /** v, made to be element i. */
    public static float plus(float v, int i, int each, FloatArray a) {
        float sum = v;
        if (each > 0) sum += a.get(i / TornadoMath.max(each, 1)); // each is compiled in, and 0 must not divide
        return sum;
    }

    /** v, made to be 16 elements from i on, which are all the same element's or all have their own. */
    public static Float16 plus(Float16 v, int i, int each, FloatArray a) {
        Float16 sum = v;
        if (each == 1) sum = Float16.add(sum, Float16s.load(a, i));
        if (each > 1) sum = Float16.add(sum, Float16s.all(a.get(i / TornadoMath.max(each, 1))));
        return sum;
    }
}
