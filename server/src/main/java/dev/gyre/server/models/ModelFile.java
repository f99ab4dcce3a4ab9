package dev.gyre.server.models;

import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.family.Defaults;
import dev.gyre.diffusion.family.ModelConfig;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.settings.ModelDefaults;
import dev.gyre.diffusion.settings.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * A model that requests may name.
 *
 * @param id its name in requests: the file's name without its extension
 * @param path empty for the embedded model
 * @param defaults of requests that leave a setting to the model
 * @param created seconds since 1970
 */
public record ModelFile(String id, Optional<Path> path, Defaults defaults, long created) {
    /**
     * Looks at a checkpoint without loading it.
     *
     * @param path empty for the embedded model
     * @throws IOException when it cannot be read
     * @throws IllegalArgumentException when it cannot be served, saying what is missing
     */
    public static ModelFile of(Optional<Path> path) throws IOException {
        try (Checkpoint checkpoint = path.isPresent() ? Checkpoint.open(path.get()) : Checkpoint.embedded()) {
            ModelConfig config = ModelConfig.of(checkpoint);
            List<String> problems = config.problems(checkpoint, false);
            if (!problems.isEmpty())
                throw new IllegalArgumentException(checkpoint.name() + ": tensors are missing or of another shape:\n  "
                        + String.join("\n  ", problems));
            long created = path.isPresent()
                    ? Files.getLastModifiedTime(path.get()).toInstant().getEpochSecond()
                    : Instant.EPOCH.getEpochSecond();
            return new ModelFile(checkpoint.name(), path, config.defaults(), created);
        }
    }

    /**
     * The size that the network works at: that of a request, but for one that does not start from an image at most the largest that the
     * model was trained at.
     */
    public Request.Size generated(Request request) {
        Request.Size size = complete(request).size().orElseThrow();
        return request.start().isPresent() ? size : size.within(defaults.largest());
    }

    /** A request with this model's values for what it leaves out. */
    public Request complete(Request request) {
        return Settings.complete(request, ModelDefaults.of(defaults));
    }
}
