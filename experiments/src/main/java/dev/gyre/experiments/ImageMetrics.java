package dev.gyre.experiments;

import dev.gyre.core.Tensor;
import dev.gyre.diffusion.image.Image;

/**
 * The similarity of two pictures.
 *
 * @param psnr the peak signal-to-noise ratio over all bytes, in dB; infinite for the same picture
 * @param ssim the mean structural similarity of their luminance (Wang et al. 2004); NaN below 11×11 pixels
 * @param latentDistance the root of the mean squared difference of their latents, the reference's being the VAE's likeliest
 */
public record ImageMetrics(double psnr, double ssim, double latentDistance) {
    private static final int WINDOW = 11;
    private static final double SIGMA = 1.5, C1 = 0.01 * 255 * 0.01 * 255, C2 = 0.03 * 255 * 0.03 * 255;

    /** @param latents of both pictures, of one shape */
    static ImageMetrics of(Image picture, Image reference, Tensor latents, Tensor referenceLatents) {
        return new ImageMetrics(
                psnr(picture, reference), ssim(picture, reference), distance(latents, referenceLatents));
    }

    static double psnr(Image a, Image b) {
        double sum = 0;
        for (int i = 0; i < a.rgb().length; i++) {
            int difference = (a.rgb()[i] & 0xFF) - (b.rgb()[i] & 0xFF);
            sum += (double) difference * difference;
        }
        return 10 * Math.log10(255.0 * 255.0 * a.rgb().length / sum);
    }

    /** Over all windows that lie within the picture, weighted by a Gaussian, K₁ = 0.01, K₂ = 0.03. */
    static double ssim(Image a, Image b) {
        int width = a.width() - WINDOW + 1, height = a.height() - WINDOW + 1;
        if (width < 1 || height < 1) return Double.NaN;
        double[] x = luminance(a), y = luminance(b);
        double[] mx = blurred(x, a), my = blurred(y, a);
        double[] xx = blurred(times(x, x), a), yy = blurred(times(y, y), a), xy = blurred(times(x, y), a);
        double sum = 0;
        for (int i = 0; i < mx.length; i++) {
            double vx = xx[i] - mx[i] * mx[i], vy = yy[i] - my[i] * my[i], v = xy[i] - mx[i] * my[i];
            sum += (2 * mx[i] * my[i] + C1) * (2 * v + C2) / ((mx[i] * mx[i] + my[i] * my[i] + C1) * (vx + vy + C2));
        }
        return sum / mx.length;
    }

    /** ITU-R 601, 0 to 255. */
    private static double[] luminance(Image image) {
        double[] light = new double[image.width() * image.height()];
        for (int i = 0; i < light.length; i++)
            light[i] = 0.299 * (image.rgb()[3 * i] & 0xFF)
                    + 0.587 * (image.rgb()[3 * i + 1] & 0xFF)
                    + 0.114 * (image.rgb()[3 * i + 2] & 0xFF);
        return light;
    }

    private static double[] times(double[] a, double[] b) {
        double[] product = new double[a.length];
        for (int i = 0; i < product.length; i++) product[i] = a[i] * b[i];
        return product;
    }

    /** Rows, then columns, where the whole window lies within. */
    private static double[] blurred(double[] x, Image of) {
        double[] weights = new double[WINDOW];
        double all = 0;
        for (int i = 0; i < WINDOW; i++) {
            double d = i - WINDOW / 2;
            all += weights[i] = Math.exp(-d * d / (2 * SIGMA * SIGMA));
        }
        int width = of.width() - WINDOW + 1, height = of.height() - WINDOW + 1;
        double[] rows = new double[width * of.height()], both = new double[width * height];
        for (int r = 0; r < of.height(); r++)
            for (int c = 0; c < width; c++)
                for (int i = 0; i < WINDOW; i++) rows[r * width + c] += weights[i] / all * x[r * of.width() + c + i];
        for (int r = 0; r < height; r++)
            for (int c = 0; c < width; c++)
                for (int i = 0; i < WINDOW; i++) both[r * width + c] += weights[i] / all * rows[(r + i) * width + c];
        return both;
    }

    static double distance(Tensor a, Tensor b) {
        float[] x = a.floats(), y = b.floats();
        double sum = 0;
        for (int i = 0; i < x.length; i++) sum += ((double) x[i] - y[i]) * ((double) x[i] - y[i]);
        return Math.sqrt(sum / x.length);
    }
}
