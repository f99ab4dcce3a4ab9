package dev.gyre.server.models;

import dev.gyre.core.Precision;
import dev.gyre.diffusion.StableDiffusion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Loads models. */
public interface Loader {
    /**
     * @param path empty for the embedded model
     * @param precision one of {@link #precisions}
     */
    StableDiffusion load(Optional<Path> path, Precision precision) throws IOException;

    /** The precisions of the backend, the default first. */
    List<Precision> precisions();
}
