package dev.gyre.experiments;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.Tensor;
import dev.gyre.diffusion.image.Image;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ImageMetricsTest {
    private static Image random(int width, int height, long seed) {
        byte[] rgb = new byte[3 * width * height];
        new Random(seed).nextBytes(rgb);
        return Image.of(width, height, rgb);
    }

    private static Image flat(int width, int height, int value) {
        byte[] rgb = new byte[3 * width * height];
        java.util.Arrays.fill(rgb, (byte) value);
        return Image.of(width, height, rgb);
    }

    @Test
    void thePeakSignalToNoiseRatio() {
        assertEquals(Double.POSITIVE_INFINITY, ImageMetrics.psnr(random(9, 7, 1), random(9, 7, 1)));
        assertEquals(20 * Math.log10(255 / 5.0), ImageMetrics.psnr(flat(8, 8, 200), flat(8, 8, 205)), 1e-9);
        assertEquals(0, ImageMetrics.psnr(flat(8, 8, 0), flat(8, 8, 255)), 1e-9);
    }

    @Test
    void theStructuralSimilarity() {
        assertEquals(1, ImageMetrics.ssim(random(24, 17, 1), random(24, 17, 1)), 1e-9);
        // Without variance only the first factor is left.
        double c1 = 0.01 * 255 * 0.01 * 255;
        assertEquals(
                (2.0 * 100 * 150 + c1) / (100.0 * 100 + 150.0 * 150 + c1),
                ImageMetrics.ssim(flat(16, 16, 100), flat(16, 16, 150)),
                1e-9);
        assertEquals(
                direct(random(15, 13, 1), random(15, 13, 2)),
                ImageMetrics.ssim(random(15, 13, 1), random(15, 13, 2)),
                1e-9);
        assertTrue(Double.isNaN(ImageMetrics.ssim(flat(8, 64, 1), flat(8, 64, 2))));
    }

    /** The formula window by window, in two dimensions. */
    private static double direct(Image a, Image b) {
        double sum = 0;
        int count = 0;
        for (int top = 0; top + 11 <= a.height(); top++)
            for (int left = 0; left + 11 <= a.width(); left++, count++) {
                double w = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
                for (int r = 0; r < 11; r++)
                    for (int c = 0; c < 11; c++) {
                        double g = Math.exp(-((r - 5) * (r - 5) + (c - 5) * (c - 5)) / (2 * 1.5 * 1.5));
                        double p = light(a, top + r, left + c), q = light(b, top + r, left + c);
                        w += g;
                        x += g * p;
                        y += g * q;
                        xx += g * p * p;
                        yy += g * q * q;
                        xy += g * p * q;
                    }
                x /= w;
                y /= w;
                double vx = xx / w - x * x, vy = yy / w - y * y, v = xy / w - x * y;
                double c1 = Math.pow(0.01 * 255, 2), c2 = Math.pow(0.03 * 255, 2);
                sum += (2 * x * y + c1) * (2 * v + c2) / ((x * x + y * y + c1) * (vx + vy + c2));
            }
        return sum / count;
    }

    private static double light(Image image, int y, int x) {
        int i = 3 * (y * image.width() + x);
        return 0.299 * (image.rgb()[i] & 0xFF)
                + 0.587 * (image.rgb()[i + 1] & 0xFF)
                + 0.114 * (image.rgb()[i + 2] & 0xFF);
    }

    @Test
    void theDistanceOfLatents() {
        Tensor a = Tensor.of(new float[] {1, 2, 3, 4}, 1, 2, 2), b = Tensor.of(new float[] {1, 2, 3, 0}, 1, 2, 2);
        assertEquals(2, ImageMetrics.distance(a, b), 1e-12);
        assertEquals(0, ImageMetrics.distance(a, a));
    }
}
