package dev.gyre.server.models;

import dev.gyre.core.Precision;
import dev.gyre.diffusion.StableDiffusion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Loads models onto the device that draws. */
public interface Loader {
    /**
     * @param path empty for the model that comes with Gyre
     * @param precision one of {@link #precisions}
     */
    StableDiffusion load(Optional<Path> path, Precision precision) throws IOException;

    /** What the device can compute in, the usual first. */
    List<Precision> precisions();
}
