package dev.gyre.cli;

import dev.gyre.diffusion.adapter.CheckpointMerge;
import dev.gyre.diffusion.adapter.Lora;
import dev.gyre.diffusion.adapter.ScaledLora;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.jsafetensors.StoredType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code gyre merge}: LoRAs merged into a checkpoint. */
@Command(
        name = "merge",
        description = "Merges LoRAs or another VAE into a checkpoint, written in the original layout.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class MergeCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            required = true,
            description = ".safetensors file to write.")
    private Path output;

    @Option(
            names = {"-m", "--model"},
            paramLabel = "FILE",
            description = "Checkpoint, index of its shards or diffusers folder. (default: the embedded model)")
    private Path model;

    @Option(
            names = "--lora",
            paramLabel = "FILE[:STRENGTH]",
            description = "LoRA or LoCon, as in style.safetensors:0.8; repeatable. (default strength: 1)")
    private List<String> loras = List.of();

    @Option(names = "--vae", paramLabel = "FILE", description = "VAE from another file or folder.")
    private Path vae;

    @Option(names = "--ema", description = "Take the UNet's averaged (EMA) weights; one set is written.")
    private boolean ema;

    @Option(names = "--dtype", paramLabel = "TYPE", description = "f16, bf16 or f32. (default: as stored)")
    private String dtype;

    @Override
    public Integer call() throws IOException {
        if (dtype != null && !List.of("f16", "bf16", "f32").contains(dtype))
            throw new ParameterException(spec.commandLine(), "--dtype: f16, bf16 or f32, got " + dtype);
        Optional<StoredType> type =
                Optional.ofNullable(dtype).map(name -> StoredType.valueOf(name.toUpperCase(Locale.ROOT)));
        List<ScaledLora> adapters = new ArrayList<>();
        try (Checkpoint checkpoint = model == null ? Checkpoint.embedded() : Checkpoint.open(model)) {
            if (vae != null) checkpoint.vae(vae);
            if (ema && !checkpoint.hasEma())
                throw new IllegalArgumentException(
                        checkpoint.name() + ": there are no averaged (EMA) weights of the UNet in this file");
            for (String one : loras) adapters.add(adapter(one));
            CheckpointMerge.write(checkpoint, adapters, ema, type, output);
            spec.commandLine().getOut().printf(Locale.ROOT, "wrote %s, %,d bytes%n", output, Files.size(output));
            return 0;
        } finally {
            adapters.forEach(one -> one.lora().close());
        }
    }

    private ScaledLora adapter(String one) throws IOException {
        String[] parts = NetworkOptions.split(one, 2);
        double strength;
        try {
            strength = NetworkOptions.number("lora", one, parts, 1, 1);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--" + e.getMessage(), e);
        }
        return new ScaledLora(Lora.open(Path.of(parts[0])), strength);
    }
}
