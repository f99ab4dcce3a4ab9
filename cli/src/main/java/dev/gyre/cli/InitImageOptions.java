package dev.gyre.cli;

import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.request.InitImage;
import dev.gyre.diffusion.request.Request;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The image that generation starts from, and its mask. */
final class InitImageOptions {
    @Option(
            names = {"-i", "--image"},
            paramLabel = "FILE",
            description = "Start from this image (PNG, JPEG, WebP, GIF, BMP, TIFF) instead of noise.")
    private Path image;

    @Option(
            names = "--mask",
            paramLabel = "FILE",
            description = "Repaint only where this image is white; black pixels stay as they are.")
    private Path mask;

    @Option(names = "--init-img", hidden = true)
    private void initImg(Path file) {
        if (file != null) image = file;
    }

    /** @throws IllegalArgumentException naming the option that makes no sense */
    Request to(Request request) throws IOException {
        if (image == null && mask != null)
            throw new IllegalArgumentException("mask: goes with --image, which is missing");
        if (image == null) return request;
        InitImage start = InitImage.of(Image.read(image));
        return request.with(mask == null ? start : start.mask(InitImage.Mask.of(Image.read(mask))));
    }
}
