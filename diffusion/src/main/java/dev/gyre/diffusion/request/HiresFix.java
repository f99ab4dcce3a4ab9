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
    /** Of {@code scale} and {@code strength}; steps have that of {@link Request.Sampling#STEPS}. */
    public static final Range SCALES = Range.above(1, 8), STRENGTHS = Range.of(0, 1);

    /** Twice as large, latents enlarged, 0.7 of the way from noise gone again. */
    public static final HiresFix TWICE = new HiresFix(2, 0.7, true, OptionalInt.empty());

    /** @throws IllegalArgumentException when the scale is not above 1 to 8, the strength not 0 to 1, or the steps not 1 to 1000 */
    public HiresFix {
        SCALES.check("hires", scale);
        STRENGTHS.check("hires strength", strength);
        steps.ifPresent(n -> Request.Sampling.STEPS.check("hires steps", n));
    }

    /** Enlarged by another factor. */
    public HiresFix scale(double scale) {
        return new HiresFix(scale, strength, latent, steps);
    }

    /** With so much of the enlarged picture drawn anew, 0 to 1. */
    public HiresFix strength(double strength) {
        return new HiresFix(scale, strength, latent, steps);
    }

    /** With the latents enlarged, or the decoded picture. */
    public HiresFix latent(boolean latent) {
        return new HiresFix(scale, strength, latent, steps);
    }

    /** With a schedule of so many steps, 1 to 1000. */
    public HiresFix steps(int steps) {
        return new HiresFix(scale, strength, latent, OptionalInt.of(steps));
    }

    /** The size of the second pass over a picture of this size. */
    public Request.Size of(Request.Size size) {
        return new Request.Size((int) (size.width() * scale) / 8 * 8, (int) (size.height() * scale) / 8 * 8);
    }
}
