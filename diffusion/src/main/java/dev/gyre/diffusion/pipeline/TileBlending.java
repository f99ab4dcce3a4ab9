package dev.gyre.diffusion.pipeline;

import java.util.function.Function;

/**
 * Cuts an image into tiles that overlap by a quarter, maps each, and blends the results linearly where they overlap, as diffusers'
 * {@code AutoencoderKL} does.
 *
 * @param channels of the input, [channels, height, width]
 * @param side of an input tile
 * @param out channels of a result
 * @param grows the factor by which a result's sides are longer
 * @param shrinks the factor by which they are shorter; one of the two is 1
 */
record TileBlending(int channels, int height, int width, int side, int out, int grows, int shrinks) {
    /** [channels, height, width]. */
    record Part(float[] values, int height, int width) {}

    private int made(int length) {
        return length * grows / shrinks;
    }

    float[] map(float[] x, Function<Part, float[]> make) {
        int step = side * 3 / 4, blend = made(side) / 4, keep = made(side) - blend;
        int rows = (height + step - 1) / step, columns = (width + step - 1) / step;
        float[] y = new float[out * made(height) * made(width)];
        float[][] above = new float[columns][], row = new float[columns][];
        for (int i = 0; i < rows; i++) {
            int top = i * step, h = Math.min(side, height - top);
            for (int j = 0; j < columns; j++) {
                int left = j * step, w = Math.min(side, width - left), tall = made(h), wide = made(w);
                float[] tile = make.apply(new Part(crop(x, top, left, h, w), h, w));
                if (i > 0) fadeDown(above[j], tile, Math.min(side, height - (i - 1) * step), tall, wide, blend);
                if (j > 0) fadeAcross(row[j - 1], tile, Math.min(side, width - (j - 1) * step), tall, wide, blend);
                row[j] = tile;
                place(tile, tall, wide, i * keep, j * keep, Math.min(keep, tall), Math.min(keep, wide), y);
            }
            float[][] done = above;
            above = row;
            row = done;
        }
        return y;
    }

    private float[] crop(float[] x, int top, int left, int h, int w) {
        float[] part = new float[channels * h * w];
        for (int c = 0; c < channels; c++)
            for (int r = 0; r < h; r++)
                System.arraycopy(x, (c * height + top + r) * width + left, part, (c * h + r) * w, w);
        return part;
    }

    /** Blends the last rows of the tile above into the first rows of this one. */
    private void fadeDown(float[] above, float[] tile, int aboveHeight, int tall, int wide, int blend) {
        int high = made(aboveHeight), n = Math.min(blend, Math.min(high, tall));
        for (int c = 0; c < out; c++)
            for (int r = 0; r < n; r++)
                for (int k = 0; k < wide; k++) {
                    int i = (c * tall + r) * wide + k;
                    tile[i] = fade(above[(c * high + high - n + r) * wide + k], tile[i], r, n);
                }
    }

    /** Blends the last columns of the tile to the left into the first columns of this one. */
    private void fadeAcross(float[] before, float[] tile, int beforeWidth, int tall, int wide, int blend) {
        int beforeWide = made(beforeWidth), n = Math.min(blend, Math.min(beforeWide, wide));
        for (int c = 0; c < out; c++)
            for (int r = 0; r < tall; r++)
                for (int k = 0; k < n; k++) {
                    int i = (c * tall + r) * wide + k;
                    tile[i] = fade(before[(c * tall + r) * beforeWide + beforeWide - n + k], tile[i], k, n);
                }
    }

    private static float fade(float from, float to, int at, int of) {
        float t = (float) at / of;
        return from * (1 - t) + to * t;
    }

    private void place(float[] tile, int tall, int wide, int top, int left, int h, int w, float[] y) {
        for (int c = 0; c < out; c++)
            for (int r = 0; r < h; r++)
                System.arraycopy(tile, (c * tall + r) * wide, y, (c * made(height) + top + r) * made(width) + left, w);
    }
}
