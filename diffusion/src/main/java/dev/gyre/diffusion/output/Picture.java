package dev.gyre.diffusion.output;

import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.image.Png;
import dev.gyre.diffusion.metadata.Parameters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.UUID;

/**
 * A generated picture with its parameters.
 *
 * @param rgb [height, width, 3] bytes
 * @param parameters how it was generated
 */
public record Picture(int width, int height, byte[] rgb, Parameters parameters) {

    /**
     * Writes a PNG that carries its parameters. It is written beside and moved in.
     *
     * @throws IOException when it cannot be written; then what was there before is still there
     */
    public void write(Path path) throws IOException {
        write(path, png());
    }

    /** A PNG that carries its parameters. */
    public byte[] png() throws IOException {
        return Png.encode(width, height, rgb, Optional.of(parameters.text()));
    }

    static void write(Path path, byte[] bytes) throws IOException {
        Path folder = path.toAbsolutePath().getParent();
        if (!Files.isDirectory(folder)) throw new IOException(path + ": there is no folder " + folder);
        // Not createTempFile, whose files only their owner can read.
        Path beside = folder.resolve("." + path.getFileName() + "." + UUID.randomUUID() + ".part");
        try {
            Files.write(beside, bytes);
            Files.move(beside, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(beside);
        }
    }

    /** An image with the parameters that generated it. */
    public static Picture of(Image image, Parameters parameters) {
        return new Picture(image.width(), image.height(), image.rgb(), parameters);
    }

    /** Its pixels as an image. */
    public Image image() {
        return Image.of(width, height, rgb);
    }
}
