package dev.gyre.diffusion.image;

import java.util.function.DoubleUnaryOperator;

/**
 * Separable resampling filters. Weights at the edges are normalized over existing pixels; for downscaling the filter is widened, as in
 * PIL.
 */
public enum Resampling {
    /** The windowed sinc with three lobes (Duchon 1979). */
    LANCZOS(3, d -> sinc(d) * sinc(d / 3)),
    /** Keys' cubic (1981) with a = −½. */
    BICUBIC(2, d -> d < 1 ? (1.5 * d - 2.5) * d * d + 1 : ((-0.5 * d + 2.5) * d - 4) * d + 2);

    private final int reach;
    private final DoubleUnaryOperator weight;

    /**
     * @param reach the radius of the filter
     * @param weight at a distance, 0 and above
     */
    Resampling(int reach, DoubleUnaryOperator weight) {
        this.reach = reach;
        this.weight = weight;
    }

    /**
     * @param x [channels, height, width]
     * @return [channels, rows, columns]
     */
    public float[] resize(float[] x, int channels, int height, int width, int rows, int columns) {
        float[] wide = stretch(x, channels * height, width, columns, 1);
        return stretch(wide, channels, height, rows, columns);
    }

    /** Stretches the middle dimension of [outer, from, inner] to {@code to}. */
    private float[] stretch(float[] x, int outer, int from, int to, int inner) {
        if (from == to) return x;
        float[] y = new float[outer * to * inner];
        double scale = Math.max(1, (double) from / to), far = reach * scale;
        for (int i = 0; i < to; i++) {
            double center = (i + 0.5) * from / to - 0.5;
            int first = Math.max(0, (int) Math.ceil(center - far)),
                    last = Math.min(from - 1, (int) Math.floor(center + far));
            double total = 0;
            for (int j = first; j <= last; j++) total += weight(Math.abs(j - center) / scale);
            for (int j = first; j <= last; j++) {
                float w = (float) (weight(Math.abs(j - center) / scale) / total);
                for (int o = 0; o < outer; o++)
                    for (int k = 0; k < inner; k++) y[(o * to + i) * inner + k] += w * x[(o * from + j) * inner + k];
            }
        }
        return y;
    }

    private double weight(double d) {
        return d >= reach ? 0 : weight.applyAsDouble(d);
    }

    private static double sinc(double d) {
        return d == 0 ? 1 : Math.sin(Math.PI * d) / (Math.PI * d);
    }
}
