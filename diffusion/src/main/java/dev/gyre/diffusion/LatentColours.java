package dev.gyre.diffusion;

import java.util.Arrays;
import java.util.Random;

/**
 * A quick look at latents: the colour of each is a linear function of its four channels, nearly so for any VAE of Stable Diffusion's. The
 * function is fitted to the checkpoint's own VAE, by least squares over what its encoder makes of plain colours.
 */
final class LatentColours {
    /** Pixels of the patches' picture and of a patch, a side. */
    private static final int SIDE = 128, PATCH = 32;

    private static final int COLOURS = 3;

    private final double[][] weights; // [colour][channel], then what is added

    private LatentColours(double[][] weights) {
        this.weights = weights;
    }

    static LatentColours of(StableDiffusion sd) {
        float[] picture = patches();
        float[] moments = sd.encode(picture, SIDE, SIDE);
        int channels = sd.channels(), cells = SIDE / sd.factor(), n = channels + 1;
        double[][] squares = new double[n][n], products = new double[COLOURS][n];
        double[] row = new double[n];
        row[channels] = 1;
        for (int cell = 0; cell < cells * cells; cell++) {
            for (int c = 0; c < channels; c++) row[c] = moments[c * cells * cells + cell] * Vae.SCALE;
            int pixel = cell / cells * sd.factor() * SIDE + cell % cells * sd.factor();
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) squares[i][j] += row[i] * row[j];
                for (int c = 0; c < COLOURS; c++) products[c][i] += row[i] * picture[c * SIDE * SIDE + pixel];
            }
        }
        double[][] weights = new double[COLOURS][];
        for (int c = 0; c < COLOURS; c++) weights[c] = solve(squares, products[c]);
        return new LatentColours(weights);
    }

    /** Squares of random plain colours, [3, SIDE, SIDE], always the same. */
    private static float[] patches() {
        Random random = new Random(0);
        float[] colours = new float[COLOURS * (SIDE / PATCH) * (SIDE / PATCH)];
        for (int i = 0; i < colours.length; i++) colours[i] = 2 * random.nextFloat() - 1;
        float[] picture = new float[COLOURS * SIDE * SIDE];
        for (int i = 0; i < picture.length; i++) {
            int c = i / (SIDE * SIDE), y = i / SIDE % SIDE, x = i % SIDE;
            picture[i] = colours[(c * (SIDE / PATCH) + y / PATCH) * (SIDE / PATCH) + x / PATCH];
        }
        return picture;
    }

    /** The picture of latents [4, height, width], a pixel each. */
    Preview picture(double[] latents, int height, int width) {
        int cells = height * width;
        float[] colours = new float[COLOURS * cells];
        for (int i = 0; i < colours.length; i++) {
            double[] w = weights[i / cells];
            double sum = w[w.length - 1];
            for (int c = 0; c < w.length - 1; c++) sum += w[c] * latents[c * cells + i % cells];
            colours[i] = (float) sum;
        }
        return new Preview(width, height, Picture.bytes(colours));
    }

    /** Gauss' elimination of A x = b, A symmetric and positive. */
    private static double[] solve(double[][] matrix, double[] right) {
        int n = right.length;
        double[][] a = Arrays.stream(matrix).map(double[]::clone).toArray(double[][]::new);
        double[] x = right.clone();
        for (int i = 0; i < n; i++)
            for (int k = i + 1; k < n; k++) {
                double factor = a[k][i] / a[i][i];
                for (int j = i; j < n; j++) a[k][j] -= factor * a[i][j];
                x[k] -= factor * x[i];
            }
        for (int i = n - 1; i >= 0; i--) {
            for (int j = i + 1; j < n; j++) x[i] -= a[i][j] * x[j];
            x[i] /= a[i][i];
        }
        return x;
    }
}
