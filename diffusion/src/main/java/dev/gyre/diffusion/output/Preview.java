package dev.gyre.diffusion.output;

import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.image.Png;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What a picture that is being generated looks like.
 *
 * @param rgb [height, width, 3] bytes
 */
public record Preview(int width, int height, byte[] rgb) {
    /** An image's pixels. */
    public static Preview of(Image image) {
        return new Preview(image.width(), image.height(), image.rgb());
    }

    /**
     * Writes a PNG. It is written beside and moved in.
     *
     * @throws IOException when it cannot be written; then what was there before is still there
     */
    public void write(Path path) throws IOException {
        Picture.write(path, png());
    }

    /**
     * The bytes of a PNG without parameters.
     *
     * @throws IOException when it cannot be encoded
     */
    public byte[] png() throws IOException {
        return Png.encode(width, height, rgb, Optional.empty());
    }
}
