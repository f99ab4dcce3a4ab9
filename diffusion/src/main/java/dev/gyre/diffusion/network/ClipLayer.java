package dev.gyre.diffusion.network;

import dev.gyre.core.Value;
import dev.gyre.nn.Weights;
import dev.gyre.nn.attention.Attention;
import dev.gyre.nn.elementwise.Add;
import dev.gyre.nn.elementwise.QuickGelu;
import dev.gyre.nn.linear.Linear;
import dev.gyre.nn.norm.LayerNorm;

/** A layer of CLIP's text and vision transformers (Radford et al. 2021). */
public final class ClipLayer {
    private ClipLayer() {}

    /**
     * @param x [batch, tokens, width]
     * @param inner channels of the feed-forward part
     * @param causal whether a token attends only to those before it
     */
    public static Value of(Value x, int inner, int heads, boolean causal, Weights at) {
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
