package dev.gyre.diffusion.request;

import java.util.OptionalInt;

/**
 * A second pass over a picture that was drawn and enlarged: what AUTOMATIC1111 calls the hires fix.
 *
 * @param scale how much larger, both ways; the result is cut to multiples of 8
 * @param strength as that of {@link InitImage}
 * @param latent whether the latents are enlarged (bilinear; wants a strength above 0.5) or the picture (Lanczos)
 * @param steps of the second pass's schedule; else those of the first
 */
public record HiresFix(double scale, double strength, boolean latent, OptionalInt steps) {
    /** Twice as large, latents enlarged, 0.7 of the way from noise gone again. */
    public static final HiresFix TWICE = new HiresFix(2, 0.7, true, OptionalInt.empty());

    /** @throws IllegalArgumentException when the scale is not above 1 to 8, the strength not 0 to 1, or the steps not 1 to 1000 */
    public HiresFix {
        if (!(scale > 1 && scale <= 8)) throw new IllegalArgumentException("hires: above 1 to 8 times, got " + scale);
        if (!(strength >= 0 && strength <= 1))
            throw new IllegalArgumentException("hires strength: 0 to 1, got " + strength);
        if (steps.isPresent() && (steps.getAsInt() < 1 || steps.getAsInt() > 1000))
            throw new IllegalArgumentException("hires steps: 1 to 1000, got " + steps.getAsInt());
    }

    /** The size of the second pass over a picture of this size. */
    public Request.Size of(Request.Size size) {
        return new Request.Size((int) (size.width() * scale) / 8 * 8, (int) (size.height() * scale) / 8 * 8);
    }
}
