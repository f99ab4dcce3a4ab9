package dev.gyre.experiments;

import dev.gyre.diffusion.image.Image;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A picture to compare with.
 *
 * @param name as the table has it; {@code "(bytes)"} where the picture itself is in the table
 * @param path where it lies; null where it is in the table
 * @param bytes the picture itself, or null
 */
public record Reference(String name, Path path, byte[] bytes) {
    static Reference of(Object value, Path folder) {
        return value instanceof byte[] bytes
                ? new Reference("(bytes)", null, bytes)
                : new Reference(value.toString(), folder.resolve(value.toString()), null);
    }

    Image read() throws IOException {
        return bytes == null ? Image.read(path) : Image.read(bytes, "reference");
    }
}
