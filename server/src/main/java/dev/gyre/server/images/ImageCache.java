package dev.gyre.server.images;

import dev.gyre.diffusion.output.Picture;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** A folder to which every picture is written, as PNG with its parameters. */
public final class ImageCache {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss-SSS", Locale.ROOT);

    private final Path folder;

    /** @throws IOException when there is no such folder, or it cannot be read */
    public ImageCache(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) throw new IOException(folder + ": there is no such folder");
        this.folder = folder;
        clean();
    }

    /** Deletes partial files of a killed service. */
    private void clean() throws IOException {
        try (DirectoryStream<Path> parts = Files.newDirectoryStream(folder, ".gyre-*.part")) {
            for (Path part : parts) Files.deleteIfExists(part);
        }
    }

    /** @throws IOException when it cannot be written; then no part of it is left */
    public synchronized void add(Picture picture) throws IOException {
        String name = "gyre-" + LocalDateTime.now().format(TIME) + "-"
                + picture.parameters().seed();
        Path path = folder.resolve(name + ".png");
        for (int i = 2; Files.exists(path); i++) path = folder.resolve(name + "-" + i + ".png");
        picture.write(path);
    }
}
