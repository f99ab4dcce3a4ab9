package dev.gyre.diffusion.family;

import dev.gyre.diffusion.image.Image;

/**
 * A fast preview of latents: the colour of each is linear in its channels, with coefficients fitted to decoded pictures.
 *
 * @param matrix for red, green and blue: a constant, one coefficient for each of the four channels, and, where the row goes on, one for
 *     each product of two of them, in the order 11, 12, 13, 14, 22, 23, …
 */
public record LatentPreview(double[][] matrix) {
    private static final int COLOURS = 3;

    /** The picture of latents [4, height, width], a pixel each. */
    public Image picture(double[] latents, int height, int width) {
        int cells = height * width, channels = latents.length / cells;
        float[] colours = new float[COLOURS * cells];
        double[] z = new double[channels];
        for (int cell = 0; cell < cells; cell++) {
            for (int c = 0; c < channels; c++) z[c] = latents[c * cells + cell];
            for (int c = 0; c < COLOURS; c++) colours[c * cells + cell] = (float) colour(matrix[c], z);
        }
        return Image.ofPlanes(colours, width, height);
    }

    private static double colour(double[] row, double[] z) {
        double sum = row[0];
        int at = 1;
        for (double v : z) sum += row[at++] * v;
        for (int i = 0; i < z.length; i++)
            for (int j = i; j < z.length && at < row.length; j++) sum += row[at++] * z[i] * z[j];
        return sum;
    }
}
