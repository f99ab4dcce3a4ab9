package dev.gyre.cli;

import dev.gyre.diffusion.StableDiffusion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The model, how it is loaded, and what computes. */
final class MachineOptions extends LoadOptions {
    /** Before options without an order, which is -1. */
    private static final int FIRST = -2;

    @Option(
            names = {"-m", "--model"},
            order = FIRST,
            paramLabel = "FILE",
            description = "Checkpoint (.safetensors), index of its shards, or diffusers folder."
                    + " (default: the small embedded model)")
    Path model;

    @Option(
            names = "--trace",
            paramLabel = "FILE",
            description = "Write when each op, graph and step ran, in Chrome's trace format (for ui.perfetto.dev).")
    private Path trace;

    /** The trace that is written, if any; closed after the model. */
    Tracing tracing() throws IOException {
        return Tracing.to(trace);
    }

    StableDiffusion load(Console console, BackendOptions where, Tracing tracing) throws IOException {
        return load(Optional.ofNullable(model), precision(), console, where, tracing.profiler());
    }
}
