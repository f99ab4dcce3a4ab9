package dev.gyre.cli;

import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.request.HiresFix;
import dev.gyre.diffusion.request.InitImage;
import dev.gyre.diffusion.request.Request;
import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalInt;
import picocli.CommandLine.Option;

/** A picture to begin with, and a second pass. */
final class PictureOptions {
    @Option(
            names = {"-i", "--image"},
            paramLabel = "FILE",
            description =
                    "Begin with this picture (PNG, JPEG, WebP, GIF, BMP, TIFF) instead of noise; the size is its own.")
    private Path image;

    @Option(
            names = "--strength",
            paramLabel = "0..1",
            description = "How much of it is drawn anew: 0.3 a little, 1 all (0.75; with --outpaint 1).")
    private Double strength;

    @Option(
            names = "--mask",
            paramLabel = "FILE",
            description = "Paint only where this is white; what is black stays as it is, to the bit.")
    private Path mask;

    @Option(
            names = "--mask-blur",
            paramLabel = "PIXELS",
            description = "How softly the painted part fades into the rest (4).")
    private Double blur;

    @Option(
            names = "--close-up",
            paramLabel = "PIXELS",
            description = "Draw the mask with so much around it at full --size and put it back: for small details.")
    private Integer closeUp;

    @Option(
            names = "--outpaint",
            paramLabel = "L,T,R,B",
            description = "Paint so many pixels more to the left, at the top, to the right and at the bottom.")
    private String outpaint;

    @Option(
            names = "--hires",
            paramLabel = "TIMES",
            description = "Enlarge what was drawn, as in 1.5 or 2, and go over it again.")
    private Double hires;

    @Option(names = "--hires-strength", paramLabel = "0..1", description = "How much the second pass draws anew (0.7).")
    private Double hiresStrength;

    @Option(
            names = "--hires-upscaler",
            paramLabel = "HOW",
            description = "latent: the latents, straight; lanczos: the picture, sharp (latent).")
    private String upscaler;

    @Option(names = "--hires-steps", paramLabel = "N", description = "Steps of its schedule (those of --steps).")
    private Integer hiresSteps;

    /** @throws IllegalArgumentException naming the option that makes no sense */
    Request to(Request request) throws IOException {
        goesWith("image", image, "strength", strength, "mask", mask, "outpaint", outpaint);
        goesWith("mask", mask, "close-up", closeUp);
        goesWith("mask or --outpaint", mask == null ? outpaint : mask, "mask-blur", blur);
        goesWith(
                "hires", hires, "hires-strength", hiresStrength, "hires-upscaler", upscaler, "hires-steps", hiresSteps);
        if (mask != null && outpaint != null)
            throw new IllegalArgumentException("outpaint: makes a mask of its own, got --mask, too");
        String how = upscaler == null ? "latent" : upscaler;
        if (!how.equals("latent") && !how.equals("lanczos"))
            throw new IllegalArgumentException("hires-upscaler: latent or lanczos, got " + how);
        if (hires != null)
            request = request.with(new HiresFix(
                    hires,
                    hiresStrength == null ? HiresFix.TWICE.strength() : hiresStrength,
                    how.equals("latent"),
                    hiresSteps == null ? OptionalInt.empty() : OptionalInt.of(hiresSteps)));
        return image == null ? request : request.with(start());
    }

    /** An option that does nothing without another is a mistake: names and values in turn. */
    private static void goesWith(String other, Object value, Object... options) {
        for (int i = 0; value == null && i < options.length; i += 2)
            if (options[i + 1] != null)
                throw new IllegalArgumentException(options[i] + ": goes with --" + other + ", which is missing");
    }

    private InitImage start() throws IOException {
        Image picture = Image.read(image);
        InitImage start =
                outpaint == null ? InitImage.of(picture) : InitImage.of(InitImage.Outpaint.parse(picture, outpaint));
        if (strength != null) start = start.strength(strength);
        if (mask != null) start = start.mask(InitImage.Mask.of(Image.read(mask)));
        if (start.mask().isEmpty()) return start;
        InitImage.Mask how = start.mask().get();
        if (blur != null) how = how.blur(blur);
        if (closeUp != null) how = how.closeUp(closeUp);
        return start.mask(how);
    }
}
