package dev.gyre.diffusion.pipeline;

import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.request.Request;

/** A rectangle of an image's pixels. */
public record CropRegion(int left, int top, int width, int height) {
    /**
     * The crop around a mask: its bounding box with padding, extended to the aspect ratio of the generated size as far as the image
     * reaches.
     *
     * @param mask [height, width], 0 where nothing changes
     */
    public static CropRegion around(float[] mask, int width, int height, int around, Request.Size shape) {
        int left = width, top = height, right = 0, bottom = 0;
        for (int i = 0; i < mask.length; i++)
            if (mask[i] > 0) {
                left = Math.min(left, i % width);
                right = Math.max(right, i % width + 1);
                top = Math.min(top, i / width);
                bottom = Math.max(bottom, i / width + 1);
            }
        left = Math.max(0, left - around);
        top = Math.max(0, top - around);
        int w = Math.min(width, right + around) - left, h = Math.min(height, bottom + around) - top;
        int wide = Math.max(w, (int) Math.round((double) h * shape.width() / shape.height()));
        int high = Math.max(h, (int) Math.round((double) w * shape.height() / shape.width()));
        int[] across = widen(left, w, wide, width), down = widen(top, h, high, height);
        return new CropRegion(across[0], down[0], across[1], down[1]);
    }

    /** An interval extended on both sides, shifted to lie in [0, limit). */
    private static int[] widen(int from, int length, int wanted, int limit) {
        int n = Math.min(wanted, limit);
        return new int[] {Math.clamp(from - (n - length) / 2, 0, limit - n), n};
    }

    Image of(Image image) {
        return image.crop(left, top, width, height);
    }
}
