package dev.gyre.diffusion;

import java.util.List;
import java.util.Map;

/** A model's weights and what has been done to them: eight bits, learned words, adapters. The checkpoint's own never change. */
final class ModelWeights implements AutoCloseable {
    private final Checkpoint checkpoint;
    private Checkpoint.Source base; // without adapters
    private Checkpoint.Source source;
    private List<Network.Adapter> adapters = List.of();
    private Quantized quantized;

    ModelWeights(Checkpoint checkpoint, boolean ema) {
        this.checkpoint = checkpoint;
        base = checkpoint.source(ema);
        source = base;
    }

    /** Where graphs find them. */
    Checkpoint.Source source() {
        return source;
    }

    /**
     * Takes these adapters, and no others, from here on.
     *
     * @return whether that changes anything
     */
    boolean use(List<Network.Adapter> wanted) {
        if (wanted.equals(adapters)) return false;
        source = base.with(wanted, checkpoint);
        adapters = wanted;
        return true;
    }

    boolean quantized() {
        return quantized != null;
    }

    /** Adds rows to the table of tokens. */
    void addTokens(float[] rows) {
        rebase(base.withTokens(rows));
    }

    /** Takes the matrices of UNet and text encoder in eight bits from here on. */
    Quantized quantize() {
        if (quantized != null) return quantized;
        Checkpoint.Source full = base;
        Quantized made = new Quantized(checkpoint, full);
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
