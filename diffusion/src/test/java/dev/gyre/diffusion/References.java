package dev.gyre.diffusion;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gyre.diffusion.image.Image;
import dev.gyre.jsafetensors.SafeTensors;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reference outputs with the largest error that float32 makes of each. */
public record References(SafeTensors file, JsonNode errors) {
    public static References of(String name) {
        try (InputStream in = References.class.getResourceAsStream(name)) {
            SafeTensors file = SafeTensors.read(in, name);
            return new References(
                    file, new ObjectMapper().readTree(file.metadata().get("float32_error")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Within five times that error, or {@code least} where that is more. */
    public void check(String name, float[] actual, double least) {
        Close.within(Math.max(least, 5 * errors.get(name).asDouble()), file.floats(name), actual, name);
    }

    public void check(String name, float[] actual) {
        check(name, actual, 0);
    }

    /** A resource as a file of its own. */
    public static Path copy(String name, Path folder) throws IOException {
        Path to = folder.resolve(name);
        try (InputStream in = References.class.getResourceAsStream(name)) {
            Files.copy(in, to);
        }
        return to;
    }

    public static Image image(String name) {
        try (InputStream in = References.class.getResourceAsStream(name)) {
            return Image.read(in.readAllBytes(), name);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
