package dev.gyre.cli;

import dev.gyre.core.JvmBackend;
import dev.gyre.diffusion.Checkpoint;
import dev.gyre.diffusion.StableDiffusion;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The model, and what computes. */
final class MachineOptions {
    @Option(
            names = {"-m", "--model"},
            paramLabel = "FILE",
            description = "A checkpoint (.safetensors); else the small embedded model.")
    Path model;

    @Option(names = "--ema", description = "Use the UNet's averaged weights, where the file has them.")
    boolean ema;

    @Option(names = "--threads", paramLabel = "N", description = "Threads that compute (one for each processor).")
    private Integer threads;

    @Option(
            names = "--low-memory",
            description = "Read weights from the file as they are used and keep no copy of them.")
    private boolean lowMemory;

    @Option(names = "--backend", paramLabel = "NAME", description = "Where to compute: jvm (jvm).")
    private String backend = "jvm";

    void check(CommandSpec spec) {
        if (!backend.equals("jvm")) throw usage(spec, "--backend: there is jvm, got " + backend);
        if (threads != null && threads < 1) throw usage(spec, "--threads: at least 1, got " + threads);
    }

    StableDiffusion load() throws IOException {
        Checkpoint checkpoint = model == null ? Checkpoint.embedded() : Checkpoint.open(model);
        JvmBackend.Options options = JvmBackend.Options.DEFAULT.lowMemory(lowMemory);
        if (threads != null) options = options.threads(threads);
        return StableDiffusion.load(checkpoint, new JvmBackend(options), ema);
    }

    static ParameterException usage(CommandSpec spec, String problem) {
        return new ParameterException(spec.commandLine(), problem);
    }
}
