package dev.gyre.diffusion.request;

import dev.gyre.diffusion.image.Image;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A picture to begin with, instead of noise alone (Meng et al. 2021).
 *
 * @param image is brought to the request's size; where that is empty, to its own, cut to multiples of 8
 * @param strength how much of the way from noise is gone again, 0 to 1: little keeps the picture, 1 leaves nothing of it
 * @param mask where it may change; empty everywhere
 * @param outpaint what the image was made of, if it was made larger to be painted beyond its edges
 */
public record InitImage(Image image, double strength, Optional<Mask> mask, Optional<Outpaint> outpaint) {
    /** The strength where none is given: that of AUTOMATIC1111 and stable-diffusion.cpp. */
    public static final double STRENGTH = 0.75;

    /** Of {@code strength}. */
    public static final Range STRENGTHS = Range.of(0, 1);

    /**
     * Where a picture is painted anew.
     *
     * @param image white where it is, black where it stays; brought to the picture's size
     * @param blur pixels (σ) over which the new picture fades into the old
     * @param closeUp pixels around the mask that are drawn with it, at the request's size, and put back into the picture; empty draws
     *     the whole picture
     */
    public record Mask(Image image, double blur, OptionalInt closeUp) {
        /** What AUTOMATIC1111 begins with. */
        public static final double BLUR = 4;

        /** Of {@code blur} and {@code closeUp}, in pixels. */
        public static final Range BLURS = Range.of(0, 256), PADDINGS = Range.of(0, 4096);

        /** @throws IllegalArgumentException when the blur is not 0 to 256, or the close-up not 0 to 4096 pixels */
        public Mask {
            BLURS.check("mask blur", blur);
            closeUp.ifPresent(pixels -> PADDINGS.check("mask padding", pixels));
        }

        /** The whole picture is drawn, and fades over {@link #BLUR} pixels. */
        public static Mask of(Image image) {
            return new Mask(image, BLUR, OptionalInt.empty());
        }

        /** Fading over so many pixels (σ), 0 to 256. */
        public Mask blur(double blur) {
            return new Mask(image, blur, closeUp);
        }

        /** Drawing only what is so many pixels around the mask, 0 to 4096, at the request's size. */
        public Mask closeUp(int around) {
            return new Mask(image, blur, OptionalInt.of(around));
        }

        /** Where an image is white, 1, and elsewhere 0, at another size, [height, width]. */
        public static float[] hard(Image image, int width, int height) {
            float[] light = image.resize(width, height).luminance();
            for (int i = 0; i < light.length; i++) light[i] = light[i] >= 0.5f ? 1 : 0;
            return light;
        }
    }

    /** Pixels added around an image. */
    public record Outpaint(Image image, int left, int top, int right, int bottom) {
        /** @throws IllegalArgumentException when a side is negative or none is added */
        public Outpaint {
            if (Math.min(Math.min(left, right), Math.min(top, bottom)) < 0 || left + top + right + bottom == 0)
                throw new IllegalArgumentException(
                        "outpaint: pixels to add on each side, got " + left + "," + top + "," + right + "," + bottom);
        }

        /** Reads {@code 0,0,64,0}: left, top, right, bottom. */
        public static Outpaint parse(Image image, String sides) {
            String[] parts = sides.split(",", -1);
            try {
                if (parts.length == 4) {
                    int[] n = Arrays.stream(parts)
                            .map(String::strip)
                            .mapToInt(Integer::parseInt)
                            .toArray();
                    return new Outpaint(image, n[0], n[1], n[2], n[3]);
                }
            } catch (NumberFormatException e) {
                // Said below.
            }
            throw new IllegalArgumentException("outpaint: four numbers of pixels as in 0,0,64,0, got " + sides);
        }

        /** The four numbers, as {@code 0,0,64,0}: left, top, right, bottom. */
        public String sides() {
            return left + "," + top + "," + right + "," + bottom;
        }
    }

    /** @throws IllegalArgumentException when the strength is not 0 to 1 */
    public InitImage {
        STRENGTHS.check("strength", strength);
    }

    /** A picture of which {@link #STRENGTH} is drawn anew, everywhere. */
    public static InitImage of(Image image) {
        return new InitImage(image, STRENGTH, Optional.empty(), Optional.empty());
    }

    /** With so much of it drawn anew: 0 keeps it, 1 leaves nothing of it. */
    public InitImage strength(double strength) {
        return new InitImage(image, strength, mask, outpaint);
    }

    /** With changes where the mask is white alone. */
    public InitImage mask(Mask mask) {
        return new InitImage(image, strength, Optional.of(mask), outpaint);
    }

    /** A larger picture of which only what is beyond the edges of {@code image} is painted. */
    public static InitImage outpaint(Image image, int left, int top, int right, int bottom) {
        return of(new Outpaint(image, left, top, right, bottom));
    }

    /** Likewise. */
    public static InitImage of(Outpaint how) {
        Image image = how.image();
        int left = how.left(), top = how.top();
        int width = left + image.width() + how.right(), height = top + image.height() + how.bottom();
        byte[] mask = new byte[3 * width * height];
        for (int i = 0; i < width * height; i++) {
            int x = i % width - left, y = i / width - top;
            boolean inside = x >= 0 && x < image.width() && y >= 0 && y < image.height();
            for (int c = 0; c < 3; c++) mask[3 * i + c] = (byte) (inside ? 0 : 255);
        }
        Mask beyond = Mask.of(Image.of(width, height, mask));
        return new InitImage(image.pad(left, top, how.right(), how.bottom()), 1, Optional.of(beyond), Optional.of(how));
    }
}
