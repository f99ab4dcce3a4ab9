package dev.gyre.diffusion;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.UUID;

/**
 * A picture and how it came about.
 *
 * @param rgb [height, width, 3] bytes
 * @param parameters how it was drawn
 */
public record Picture(int width, int height, byte[] rgb, Parameters parameters) {

    /**
     * Writes a PNG that carries its parameters. It is written beside and moved in.
     *
     * @throws IOException when it cannot be written; then what was there before is still there
     */
    public void write(Path path) throws IOException {
        write(path, Png.encode(width, height, rgb, Optional.of(parameters.text())));
    }

    static void write(Path path, byte[] bytes) throws IOException {
        Path folder = path.toAbsolutePath().getParent();
        if (!Files.isDirectory(folder)) throw new IOException(path + ": there is no folder " + folder);
        // Not createTempFile: its files are for their owner's eyes only.
        Path beside = folder.resolve("." + path.getFileName() + "." + UUID.randomUUID() + ".part");
        try {
            Files.write(beside, bytes);
            Files.move(beside, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(beside);
        }
    }

    /** From the decoder's output [3, height, width], −1 black to 1 white. */
    static Picture of(float[] decoded, int width, int height, Parameters parameters) {
        return new Picture(width, height, bytes(decoded), parameters);
    }

    /** [height, width, 3] from [3, height, width]; rounded half to even, as diffusers does. */
    static byte[] bytes(float[] colours) {
        int pixels = colours.length / 3;
        byte[] rgb = new byte[colours.length];
        for (int c = 0; c < 3; c++)
            for (int i = 0; i < pixels; i++) {
                float v = colours[c * pixels + i] / 2 + 0.5f;
                rgb[3 * i + c] = (byte) (int) Math.rint(Math.clamp(v, 0f, 1f) * 255);
            }
        return rgb;
    }
}
