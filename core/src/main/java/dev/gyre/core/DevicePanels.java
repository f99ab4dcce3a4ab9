package dev.gyre.core;

import java.util.Arrays;
import java.util.stream.IntStream;
import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;

/**
 * A weight packed for the matrix products of devices: panels of interleaved rows, so that the elements of one step
 * along K are contiguous. Packed on the host when it is uploaded.
 *
 * @param weight a constant of {@code rows · depth} elements
 * @param rows rows of the weight
 * @param width rows of a panel; the last panel is padded with zeros
 * @param f16 whether kernels receive a {@code HalfFloatArray}, otherwise a {@code FloatArray}
 */
public record DevicePanels(Value weight, int rows, int width, boolean f16) {
    /** Panels of a weight [rows, …], as F16 if the checkpoint stores F16 and the target keeps it. */
    public static DevicePanels of(Value weight, int width, Target target) {
        return new DevicePanels(weight, weight.dim(0), width, target.f16Weights() && weight.dtype() == DType.F16);
    }

    /** Columns of the weight. */
    public int depth() {
        return weight.shape().elements() / rows;
    }

    /** Elements in total: [⌈rows / width⌉, depth, width]. */
    public int elements() {
        return Math.multiplyExact((rows + width - 1) / width * width, depth());
    }

    /**
     * Packs the weight.
     *
     * @param array a {@code HalfFloatArray}, to which elements are rounded, or a {@code FloatArray}, of
     *     {@link #elements} elements
     */
    public void fill(Object array) {
        fill(weight.constant().orElseThrow(), rows, width, array);
    }

    /** Packs a weight's panels, many at a time. */
    public static void fill(Tensor from, int rows, int width, Object array) {
        IntStream.range(0, (rows + width - 1) / width)
                .parallel()
                .forEach(panel -> fill(from, rows, width, panel * width, array));
    }

    private static void fill(Tensor from, int rows, int width, int first, Object array) {
        int depth = from.shape().elements() / rows, at = first * depth;
        float[] row = new float[depth];
        short[] scratch = new short[Math.min(depth, 4096)];
        for (int j = 0; j < width; j++) {
            if (first + j < rows) from.read((long) (first + j) * depth, row, 0, depth, scratch);
            else Arrays.fill(row, 0f);
            if (array instanceof HalfFloatArray to)
                for (int k = 0; k < depth; k++) to.set(at + k * width + j, new HalfFloat(row[k]));
            else {
                FloatArray to = (FloatArray) array;
                for (int k = 0; k < depth; k++) to.set(at + k * width + j, row[k]);
            }
        }
    }
}
