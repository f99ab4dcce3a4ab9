package dev.gyre.diffusion.pipeline;

/** Bilinear resizing, as {@code torch.nn.functional.interpolate} without aligned corners. */
final class Bilinear {
    private Bilinear() {}

    /**
     * @param x [channels, height, width]
     * @return [channels, rows, columns]
     */
    static float[] resize(float[] x, int channels, int height, int width, int rows, int columns) {
        float[] y = new float[channels * rows * columns];
        for (int r = 0; r < rows; r++) {
            double down = Math.max(0, (r + 0.5) * height / rows - 0.5);
            int top = (int) down, bottom = Math.min(top + 1, height - 1);
            for (int k = 0; k < columns; k++) {
                double across = Math.max(0, (k + 0.5) * width / columns - 0.5);
                int left = (int) across, right = Math.min(left + 1, width - 1);
                double v = down - top, u = across - left;
                for (int c = 0; c < channels; c++) {
                    int upper = (c * height + top) * width, lower = (c * height + bottom) * width;
                    double above = x[upper + left] * (1 - u) + x[upper + right] * u;
                    double below = x[lower + left] * (1 - u) + x[lower + right] * u;
                    y[(c * rows + r) * columns + k] = (float) (above * (1 - v) + below * v);
                }
            }
        }
        return y;
    }
}
