package dev.gyre.cli;

import dev.gyre.diffusion.family.SyntheticCheckpoint;
import dev.gyre.jsafetensors.StoredType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** A full-size checkpoint to run and measure without a download. */
@Command(
        name = "synth",
        description = "Writes a full-size checkpoint of hashed weights, to run and measure without a download.",
        mixinStandardHelpOptions = true)
final class SynthCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "OUT", description = ".safetensors file to write (2.1 GB; 4.3 GB for f32).")
    private Path path;

    @Option(
            names = "--layout",
            defaultValue = "sd15",
            description = "sd15: Stable Diffusion v1.5. (default: ${DEFAULT-VALUE})")
    private String layout;

    @Option(names = "--dtype", defaultValue = "f16", description = "f16 or f32. (default: ${DEFAULT-VALUE})")
    private String dtype;

    @Option(names = "--ema", description = "Also write averaged (EMA) weights of the UNet.")
    private boolean ema;

    @Override
    public Integer call() throws IOException {
        if (!layout.equals("sd15"))
            throw new ParameterException(spec.commandLine(), "--layout: there is sd15, got " + layout);
        if (!dtype.equals("f16") && !dtype.equals("f32"))
            throw new ParameterException(spec.commandLine(), "--dtype: f16 or f32, got " + dtype);
        SyntheticCheckpoint.write(path, StoredType.valueOf(dtype.toUpperCase(Locale.ROOT)), ema);
        spec.commandLine().getOut().printf(Locale.ROOT, "wrote %s, %,d bytes%n", path, Files.size(path));
        return 0;
    }
}
