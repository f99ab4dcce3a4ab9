package dev.gyre.cli;

import dev.gyre.core.Backend;
import dev.gyre.core.Precision;
import dev.gyre.core.Profiler;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.adapter.SafetyChecker;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.family.ModelOptions;
import dev.gyre.diffusion.metadata.OpenSources;
import dev.gyre.diffusion.metadata.Parameters;
import dev.gyre.diffusion.metadata.Sources;
import dev.gyre.diffusion.sampler.Prediction;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** How a model is loaded, and what computes. */
class LoadOptions {
    private static final String Q8 = "q8_0";

    @Option(names = "--ema", description = "Use the UNet's averaged (EMA) weights, where the file has them.")
    boolean ema;

    @Option(
            names = "--prediction",
            paramLabel = "TYPE",
            description = "What the UNet predicts: epsilon or v. (default: as the file says)")
    private String predictionType;

    private Optional<Prediction> prediction = Optional.empty();

    @Option(names = "--vae", paramLabel = "FILE", description = "VAE from another file or folder.")
    private Path vae;

    @Option(
            names = "--type",
            paramLabel = "TYPE",
            description =
                    "Weight type; q8_0 keeps weights in 8 bits: half the memory, slower; prints the quantization error."
                            + " (default: as stored)")
    private String type;

    @Option(
            names = "--memory",
            paramLabel = "MIB",
            description = "Working memory to stay within, beside the weights; where it is short, the VAE runs in tiles."
                    + " (default: what the machine has)")
    private Integer memory;

    @Option(
            names = "--safety-checker",
            paramLabel = "FILE",
            description =
                    "Check every picture with this model and black out what it finds not safe for work. (default: off)")
    private Path safetyChecker;

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            description = "Threads that compute. (default: one per processor)")
    private Integer threads;

    @Option(
            names = "--low-memory",
            description = "Read weights from the mapped file as they are used and keep no copy.")
    private boolean lowMemory;

    @Option(
            names = "--precision",
            paramLabel = "TYPE",
            description = "Type of matrix multiplications: f32, or bf16 where the processor has it. (default: f32)")
    private String precision;

    private Precision chosen = Precision.F32;

    /** Takes over what a picture was generated with where no option says otherwise. */
    void as(Parameters parameters, OpenSources.Finder finder) throws IOException {
        ema |= parameters.ema();
        if (predictionType == null) prediction = parameters.prediction();
        if (type == null && parameters.quantized()) type = Q8;
        if (precision == null) chosen = parameters.precision();
        Sources recipe = parameters.recipe();
        if (vae == null && recipe.vae().isPresent())
            vae = finder.find(recipe.vae().get());
        if (safetyChecker == null && recipe.checker().isPresent())
            safetyChecker = finder.find(recipe.checker().get());
    }

    private void precision(CommandSpec spec) {
        try {
            chosen = Precision.named(precision);
        } catch (IllegalArgumentException e) {
            throw usage(spec, "--" + e.getMessage());
        }
        chosen.refusal().ifPresent(reason -> {
            throw new UnsupportedOperationException("--precision " + precision + ": " + reason);
        });
    }

    void check(CommandSpec spec, BackendOptions where) {
        where.check();
        if (where.tornado() && (precision != null || lowMemory || threads != null))
            throw usage(spec, "--precision, --low-memory and --threads are the JVM backend's");
        if (predictionType != null) prediction(spec);
        if (threads != null && threads < 1) throw usage(spec, "--threads: at least 1, got " + threads);
        if (type != null && !type.equalsIgnoreCase(Q8)) throw usage(spec, "--type: q8_0, got " + type);
        if (precision != null) precision(spec);
        if (memory != null && memory < 1) throw usage(spec, "--memory: at least 1 MiB, got " + memory);
    }

    private void prediction(CommandSpec spec) {
        try {
            prediction = Optional.of(Prediction.named(predictionType));
        } catch (IllegalArgumentException e) {
            throw usage(spec, "--prediction: " + e.getMessage());
        }
    }

    /** The type of matrix multiplications where a request asks for none. */
    Precision precision() {
        return chosen;
    }

    /** @param model empty for the embedded one */
    StableDiffusion load(
            Optional<Path> model,
            Precision precision,
            Console console,
            BackendOptions where,
            Optional<Profiler> profiler)
            throws IOException {
        Checkpoint checkpoint = model.isPresent() ? Checkpoint.open(model.get()) : Checkpoint.embedded();
        JvmBackend.Options options =
                JvmBackend.Options.DEFAULT.lowMemory(lowMemory).precision(precision);
        if (threads != null) options = options.threads(threads);
        Backend backend;
        try {
            if (vae != null) checkpoint.vae(vae);
            backend = where.open(options, new DeviceConsole(console, where.explain()), profiler);
        } catch (IOException | RuntimeException | Error e) {
            checkpoint.close();
            throw e;
        }
        StableDiffusion sd =
                StableDiffusion.load(checkpoint, backend, new ModelOptions(ema, prediction, Optional.empty()));
        try {
            if (memory != null) sd.memoryLimit((long) memory << 20);
            if (type != null) console.note(sd.quantize().toString());
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
