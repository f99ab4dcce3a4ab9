package dev.gyre.spark;

import dev.gyre.core.Precision;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.family.ModelOptions;
import java.io.IOException;
import java.io.Serializable;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What every executor loads.
 *
 * @param path empty for the embedded model
 * @param sha256 of the file, as the driver read it
 */
record Model(String path, boolean ema, Precision precision, String sha256) implements Serializable {
    static StableDiffusion load(Optional<Path> path, boolean ema, Precision precision, int threads) throws IOException {
        Checkpoint checkpoint = path.isEmpty() ? Checkpoint.embedded() : Checkpoint.open(path.get());
        return StableDiffusion.load(
                checkpoint,
                new JvmBackend(JvmBackend.Options.DEFAULT.threads(threads).precision(precision)),
                ModelOptions.DEFAULT.ema(ema));
    }

    /** @throws IOException when it cannot be read, or is another file than the driver's */
    StableDiffusion load(int threads) throws IOException {
        StableDiffusion sd =
                load(path.isEmpty() ? Optional.empty() : Optional.of(Path.of(path)), ema, precision, threads);
        try {
            String here = sd.checkpoint().sha256();
            if (!here.equals(sha256))
                throw new IOException(
                        path + ": on " + InetAddress.getLocalHost().getHostName() + " its SHA-256 is " + here
                                + ", on the driver " + sha256);
            return sd;
        } catch (IOException | RuntimeException e) {
            sd.close();
            throw e;
        }
    }
}
