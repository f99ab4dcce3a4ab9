package dev.gyre.diffusion.pipeline;

import dev.gyre.diffusion.image.Image;
import java.util.Arrays;

/** Blends two images by a mask. */
final class MaskBlend {
    private MaskBlend() {}

    /** {@code over} where the mask is 1, {@code under} where it is 0; all of one size. */
    static Image of(Image under, Image over, float[] mask) {
        byte[] rgb = under.rgb().clone();
        for (int i = 0; i < mask.length; i++) {
            if (mask[i] == 0) continue;
            for (int c = 3 * i; c < 3 * i + 3; c++) {
                int from = rgb[c] & 0xFF, to = over.rgb()[c] & 0xFF;
                rgb[c] = (byte) Math.round(from + mask[i] * (to - from));
            }
        }
        return Image.of(under.width(), under.height(), rgb);
    }

    /** Pastes a part into the whole image. */
    static Image put(Image whole, Image part, CropRegion at) {
        byte[] rgb = whole.rgb().clone();
        for (int y = 0; y < part.height(); y++)
            System.arraycopy(
                    part.rgb(),
                    3 * y * part.width(),
                    rgb,
                    3 * ((at.top() + y) * whole.width() + at.left()),
                    3 * part.width());
        return Image.of(whole.width(), whole.height(), rgb);
    }

    /**
     * A Gaussian blur; edge pixels are repeated beyond the edges.
     *
     * @param mask [height, width]
     * @param sigma in pixels; 0 changes nothing
     */
    static float[] blur(float[] mask, int width, int height, double sigma) {
        if (sigma == 0) return mask;
        int reach = (int) Math.ceil(3 * sigma);
        double[] kernel = new double[2 * reach + 1];
        for (int i = -reach; i <= reach; i++) kernel[i + reach] = Math.exp(-i * i / (2 * sigma * sigma));
        double total = Arrays.stream(kernel).sum();
        for (int i = 0; i < kernel.length; i++) kernel[i] /= total;
        return blur(blur(mask, width, height, kernel, 1, 0), width, height, kernel, 0, 1);
    }

    private static float[] blur(float[] from, int width, int height, double[] kernel, int dx, int dy) {
        float[] to = new float[from.length];
        int reach = kernel.length / 2;
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) {
                double sum = 0;
                for (int i = -reach; i <= reach; i++)
                    sum += kernel[i + reach]
                            * from[
                                    Math.clamp(y + i * dy, 0, height - 1) * width
                                            + Math.clamp(x + i * dx, 0, width - 1)];
                // Flat regions stay exact.
                to[y * width + x] = sum < 1e-6 ? 0 : sum > 1 - 1e-6 ? 1 : (float) sum;
            }
        return to;
    }
}
