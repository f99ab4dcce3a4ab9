package dev.gyre.diffusion.family;

import dev.gyre.diffusion.image.Image;

/**
 * A quick look at latents: the colour of each is a matrix times its channels, fitted to decoded pictures.
 *
 * @param matrix for red, green and blue: what is added, one number for each of the four channels, and, where the row goes on, one for
 *     each product of two of them, in the order 11, 12, 13, 14, 22, 23, …
 */
public record LatentPreview(double[][] matrix) {
    private static final int COLOURS = 3;

    /** Stable Diffusion's, as ComfyUI has it; near the truth for all VAEs of that family, which share their latents. */
    public static final LatentPreview SD = new LatentPreview(new double[][] {
        {0, 0.3512, 0.3250, -0.2829, -0.2120},
        {0, 0.2297, 0.4974, 0.1762, -0.2616},
        {0, 0.3227, 0.2350, 0.2721, -0.7177}
    });

    /**
     * The embedded model's, fitted by least squares to 128 of its pictures. Its latents are less like colours: with the products a
     * pixel is off by 32 of 255 on average, without them by 50.
     */
    public static final LatentPreview SHAPES = new LatentPreview(new double[][] {
        {
            -0.2319, 0.8064, -0.2337, -0.6689, 0.3996, //
            -0.0614, 2.7702, 2.8001, -2.8600, 1.0294, -0.6692, -0.6891, -1.6352, 2.0407, -0.2699
        },
        {
            -0.3224, -0.4653, 0.6351, 1.0017, -0.8260, //
            -0.3127, 0.7389, 1.0274, -1.0322, 1.1570, 1.3055, -1.6768, 0.1651, -0.5800, 0.5490
        },
        {
            -0.2006, -0.1897, 0.4966, 0.3483, -0.6442, //
            -0.5133, -0.4607, 0.8526, -0.3452, 0.2655, 0.9415, -0.8153, -0.1419, -0.2726, 0.3018
        }
    });

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
