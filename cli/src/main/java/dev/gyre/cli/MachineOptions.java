package dev.gyre.cli;

import dev.gyre.diffusion.StableDiffusion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The model, how it is loaded, and what computes. */
final class MachineOptions extends LoadOptions {
    /** Before those that have no order, which have -1. */
    private static final int FIRST = -2;

    @Option(
            names = {"-m", "--model"},
            order = FIRST,
            paramLabel = "FILE",
            description =
                    "A checkpoint (.safetensors), the index of its shards, or a folder as diffusers keeps a model; else the"
                            + " small embedded model.")
    Path model;

    @Option(
            names = "--trace",
            paramLabel = "FILE",
            description =
                    "Write when each op, graph and step ran, as Chrome's trace format has it (for ui.perfetto.dev).")
    private Path trace;

    /** What is told when things ran; closed after the model. */
    Tracing tracing() throws IOException {
        return Tracing.to(trace);
    }

    StableDiffusion load(Console console, BackendOptions where, Tracing tracing) throws IOException {
        return load(Optional.ofNullable(model), precision(), console, where, tracing.profiler());
    }
}
