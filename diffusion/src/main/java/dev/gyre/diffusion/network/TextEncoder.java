package dev.gyre.diffusion.network;

import dev.gyre.core.Value;
import dev.gyre.nn.Weights;
import dev.gyre.nn.embedding.Embedding;
import dev.gyre.nn.norm.LayerNorm;

/**
 * CLIP's text transformer (Radford et al. 2021), whose hidden states the UNet attends to.
 *
 * @param vocabulary tokens: 49408
 * @param length tokens of a prompt: 77
 * @param width channels: 768
 * @param inner channels of the feed-forward layers: 3072
 * @param layers 12
 * @param heads 12
 */
public record TextEncoder(int vocabulary, int length, int width, int inner, int layers, int heads) {
    /** With another size of the vocabulary. */
    public TextEncoder vocabulary(int tokens) {
        return new TextEncoder(tokens, length, width, inner, layers, heads);
    }

    /**
     * Builds the network.
     *
     * @param ids [batch, length] tokens, I32
     * @param skip the layer whose states are taken, counted from the last, 1
     * @return that layer's hidden states after the final norm, [batch, length, width]
     */
    public Value build(Value ids, int skip, Weights at) {
        Value tokens = at.get("embeddings.token_embedding.weight", vocabulary, width);
        Value positions = at.get("embeddings.position_embedding.weight", length, width);
        Value x = at.named("embeddings", Embedding.of(ids, tokens, positions));
        for (int i = 0; i <= layers - skip; i++) x = ClipLayer.of(x, inner, heads, true, at.at("encoder.layers", i));
        return LayerNorm.of(x, at.at("final_layer_norm"));
    }
}
