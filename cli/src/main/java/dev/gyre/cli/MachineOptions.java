package dev.gyre.cli;

import dev.gyre.diffusion.Progress;
import dev.gyre.diffusion.StableDiffusion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The model, how it is loaded, and what computes. */
final class MachineOptions extends LoadOptions {
    @Option(
            names = {"-m", "--model"},
            paramLabel = "FILE",
            description =
                    "A checkpoint (.safetensors), the index of its shards, or a folder as diffusers keeps a model; else the"
                            + " small embedded model.")
    Path model;

    StableDiffusion load(Progress progress) throws IOException {
        return load(Optional.ofNullable(model), progress);
    }
}
