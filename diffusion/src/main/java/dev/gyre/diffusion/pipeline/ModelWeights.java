package dev.gyre.diffusion.pipeline;

import dev.gyre.diffusion.adapter.ScaledLora;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.checkpoint.QuantizedWeights;
import dev.gyre.diffusion.family.ModelConfig;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A model's weights and what has been done to them: quantization, learned words, LoRAs. The checkpoint's own never change. */
public final class ModelWeights implements AutoCloseable {
    private final Checkpoint checkpoint;
    private final ModelConfig config;
    private final Runnable changed;
    private Checkpoint.Source base; // without LoRAs
    private Checkpoint.Source source;
    private List<ScaledLora> loras = List.of();
    private QuantizedWeights quantized;

    /** @param changed is run when graphs that were built with these weights are out of date */
    ModelWeights(Checkpoint checkpoint, ModelConfig config, boolean ema, Runnable changed) {
        this.checkpoint = checkpoint;
        this.config = config;
        this.changed = changed;
        base = checkpoint.source(ema);
        source = base;
    }

    Checkpoint checkpoint() {
        return checkpoint;
    }

    /** Where graphs find them. */
    public Checkpoint.Source source() {
        return source;
    }

    /** Applies these LoRAs, and no others, from here on. */
    public void use(List<ScaledLora> wanted) {
        if (wanted.equals(loras)) return;
        source = base.with(ScaledLora.additions(wanted, checkpoint, config));
        loras = wanted;
        changed.run();
    }

    public boolean quantized() {
        return quantized != null;
    }

    /** Adds rows to the table of token embeddings. */
    void addTokens(float[] rows) {
        rebase(base.withRows(config.text().tokenTable(), rows));
    }

    /** Quantizes the matrices of UNet and text encoder to 8 bits. */
    public QuantizedWeights quantize() {
        if (quantized != null) return quantized;
        changed.run();
        Checkpoint.Source full = base;
        List<String> roots = Stream.concat(Stream.of(Checkpoint.UNET), config.text().roots().stream())
                .toList();
        QuantizedWeights made = new QuantizedWeights(checkpoint, full, roots);
        rebase(new Checkpoint.Source(key -> made.find(key).or(() -> full.find().apply(key)), Map.of()));
        quantized = made;
        return made;
    }

    private void rebase(Checkpoint.Source to) {
        base = to;
        source = to.with(ScaledLora.additions(loras, checkpoint, config));
    }

    @Override
    public void close() {
        if (quantized != null) quantized.close();
    }
}
