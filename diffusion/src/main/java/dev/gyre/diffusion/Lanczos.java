package dev.gyre.diffusion;

/**
 * Enlarges by Lanczos' windowed sinc with three lobes (Duchon 1979), one direction after the other; weights at the edges are
 * normalised over the pixels there are.
 */
final class Lanczos {
    private static final int LOBES = 3;

    private Lanczos() {}

    /**
     * @param x [channels, height, width]
     * @return [channels, rows, columns], neither smaller than before
     */
    static float[] enlarge(float[] x, int channels, int height, int width, int rows, int columns) {
        float[] wide = stretch(x, channels * height, width, columns, 1);
        return stretch(wide, channels, height, rows, columns);
    }

    /** Stretches the middle dimension of [outer, from, inner] to {@code to}. */
    private static float[] stretch(float[] x, int outer, int from, int to, int inner) {
        float[] y = new float[outer * to * inner];
        for (int i = 0; i < to; i++) {
            double center = (i + 0.5) * from / to - 0.5;
            int first = Math.max(0, (int) Math.ceil(center - LOBES)), last = Math.min(from - 1, (int) (center + LOBES));
            double total = 0;
            for (int j = first; j <= last; j++) total += weight(j - center);
            for (int j = first; j <= last; j++) {
                float w = (float) (weight(j - center) / total);
                for (int o = 0; o < outer; o++)
                    for (int k = 0; k < inner; k++) y[(o * to + i) * inner + k] += w * x[(o * from + j) * inner + k];
            }
        }
        return y;
    }

    private static double weight(double d) {
        if (Math.abs(d) >= LOBES) return 0;
        return sinc(d) * sinc(d / LOBES);
    }

    private static double sinc(double d) {
        return d == 0 ? 1 : Math.sin(Math.PI * d) / (Math.PI * d);
    }
}
