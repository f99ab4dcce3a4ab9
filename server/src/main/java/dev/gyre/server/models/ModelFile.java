package dev.gyre.server.models;

import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.family.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A model that can be asked for.
 *
 * @param id what requests call it: the file's name without its ending
 * @param path empty for the model that comes with Gyre
 * @param nativeSize of a small model, in pixels
 * @param created seconds since 1970
 */
public record ModelFile(String id, Optional<Path> path, OptionalInt nativeSize, long created) {
    /**
     * Looks at a checkpoint without loading it.
     *
     * @param path empty for the model that comes with Gyre
     * @throws IOException when it cannot be read
     * @throws IllegalArgumentException when it is no model that can be served, saying what it lacks
     */
    public static ModelFile of(Optional<Path> path) throws IOException {
        try (Checkpoint checkpoint = path.isPresent() ? Checkpoint.open(path.get()) : Checkpoint.embedded()) {
            List<String> problems = ModelConfig.of(checkpoint).problems(checkpoint, false);
            if (!problems.isEmpty())
                throw new IllegalArgumentException(checkpoint.name() + ": tensors are missing or of another shape:\n  "
                        + String.join("\n  ", problems));
            String size = checkpoint.metadata().get("native_size");
            long created = path.isPresent()
                    ? Files.getLastModifiedTime(path.get()).toInstant().getEpochSecond()
                    : Instant.EPOCH.getEpochSecond();
            return new ModelFile(
                    checkpoint.name(),
                    path,
                    size == null ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(size)),
                    created);
        }
    }

    /** The side of a picture that no size was asked of. */
    public int side() {
        return nativeSize.orElse(512);
    }

    public int steps() {
        return nativeSize.isPresent() ? 20 : 25;
    }

    public double guidance() {
        return nativeSize.isPresent() ? 5 : 7.5;
    }
}
