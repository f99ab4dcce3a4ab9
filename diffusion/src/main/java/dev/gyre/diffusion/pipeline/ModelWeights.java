package dev.gyre.diffusion.pipeline;

import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.checkpoint.QuantizedWeights;
import dev.gyre.diffusion.request.Conditions;
import java.util.List;
import java.util.Map;

/** A model's weights and what has been done to them: eight bits, learned words, adapters. The checkpoint's own never change. */
public final class ModelWeights implements AutoCloseable {
    private final Checkpoint checkpoint;
    private Checkpoint.Source base; // without adapters
    private Checkpoint.Source source;
    private List<Conditions.Adapter> adapters = List.of();
    private QuantizedWeights quantized;

    public ModelWeights(Checkpoint checkpoint, boolean ema) {
        this.checkpoint = checkpoint;
        base = checkpoint.source(ema);
        source = base;
    }

    /** Where graphs find them. */
    public Checkpoint.Source source() {
        return source;
    }

    /**
     * Takes these adapters, and no others, from here on.
     *
     * @return whether that changes anything
     */
    public boolean use(List<Conditions.Adapter> wanted) {
        if (wanted.equals(adapters)) return false;
        source = base.with(wanted, checkpoint);
        adapters = wanted;
        return true;
    }

    public boolean quantized() {
        return quantized != null;
    }

    /** Adds rows to the table of tokens. */
    public void addTokens(float[] rows) {
        rebase(base.withTokens(rows));
    }

    /** Takes the matrices of UNet and text encoder in eight bits from here on. */
    public QuantizedWeights quantize() {
        if (quantized != null) return quantized;
        Checkpoint.Source full = base;
        QuantizedWeights made = new QuantizedWeights(checkpoint, full);
        rebase(new Checkpoint.Source(
                full.textPrefix(), key -> made.find(key).or(() -> full.find().apply(key)), Map.of()));
        quantized = made;
        return made;
    }

    private void rebase(Checkpoint.Source to) {
        base = to;
        source = to.with(adapters, checkpoint);
    }

    @Override
    public void close() {
        if (quantized != null) quantized.close();
    }
}
