package dev.gyre.diffusion;

import dev.gyre.core.Value;
import dev.gyre.nn.Add;
import dev.gyre.nn.Attention;
import dev.gyre.nn.LayerNorm;
import dev.gyre.nn.Linear;
import dev.gyre.nn.QuickGelu;
import dev.gyre.nn.Weights;

/** A layer of CLIP's transformers (Radford et al. 2021), of the one for texts and of the one for pictures. */
final class ClipLayer {
    private ClipLayer() {}

    /**
     * @param x [batch, tokens, width]
     * @param inner channels of the feed-forward part
     * @param causal whether a token sees only those before it
     */
    static Value of(Value x, int inner, int heads, boolean causal, Weights at) {
        int width = x.dim(2);
        Value h = LayerNorm.of(x, at.at("layer_norm1"));
        Value y = Attention.of(
                Linear.of(h, width, at.at("self_attn.q_proj")),
                Linear.of(h, width, at.at("self_attn.k_proj")),
                Linear.of(h, width, at.at("self_attn.v_proj")),
                heads,
                causal);
        Weights attention = at.at("self_attn");
        y = Linear.of(attention.named("heads", y), width, attention.at("out_proj"));
        x = Add.of(x, attention.named(y));
        h = Linear.of(LayerNorm.of(x, at.at("layer_norm2")), inner, at.at("mlp.fc1"));
        return at.named(Add.of(x, at.named("mlp", Linear.of(QuickGelu.of(h), width, at.at("mlp.fc2")))));
    }
}
