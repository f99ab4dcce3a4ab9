package dev.gyre.cli;

import dev.gyre.core.JvmBackend;
import dev.gyre.diffusion.Checkpoint;
import dev.gyre.diffusion.Progress;
import dev.gyre.diffusion.SafetyChecker;
import dev.gyre.diffusion.StableDiffusion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** How a model is loaded, and what computes. */
class LoadOptions {
    @Option(names = "--ema", description = "Use the UNet's averaged weights, where the file has them.")
    boolean ema;

    @Option(names = "--vae", paramLabel = "FILE", description = "Take the VAE from another file or folder.")
    private Path vae;

    @Option(
            names = "--q8",
            description = "Keep the weights in 8 bits (Q8_0): half the memory, slower, and less exact by what is said.")
    private boolean q8;

    @Option(
            names = "--memory",
            paramLabel = "MIB",
            description =
                    "Working memory to stay within beside the weights; where it is short pictures are decoded in tiles"
                            + " (what the machine has).")
    private Integer memory;

    @Option(
            names = "--safety-checker",
            paramLabel = "FILE",
            description = "Look at every picture with this model and black out what it finds not safe for work (off).")
    private Path safetyChecker;

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
        if (memory != null && memory < 1) throw usage(spec, "--memory: at least 1 MiB, got " + memory);
    }

    /** @param model empty for the embedded one */
    StableDiffusion load(Optional<Path> model, Progress progress) throws IOException {
        Checkpoint checkpoint = model.isPresent() ? Checkpoint.open(model.get()) : Checkpoint.embedded();
        JvmBackend.Options options = JvmBackend.Options.DEFAULT.lowMemory(lowMemory);
        if (threads != null) options = options.threads(threads);
        try {
            if (vae != null) checkpoint.vae(vae);
        } catch (IOException | RuntimeException | Error e) {
            checkpoint.close();
            throw e;
        }
        StableDiffusion sd = StableDiffusion.load(checkpoint, new JvmBackend(options), ema);
        try {
            if (memory != null) sd.room((long) memory << 20);
            if (q8) progress.note(sd.quantize().toString());
            if (safetyChecker != null) sd.safetyChecker(SafetyChecker.open(safetyChecker));
            return sd;
        } catch (IOException | RuntimeException | Error e) {
            sd.close();
            throw e;
        }
    }

    static ParameterException usage(CommandSpec spec, String problem) {
        return new ParameterException(spec.commandLine(), problem);
    }
}
