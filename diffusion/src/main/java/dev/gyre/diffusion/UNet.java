package dev.gyre.diffusion;

import static dev.gyre.diffusion.Layers.silu;

import dev.gyre.core.Value;
import dev.gyre.nn.Add;
import dev.gyre.nn.AddPerChannel;
import dev.gyre.nn.Attention;
import dev.gyre.nn.Concat;
import dev.gyre.nn.Conv2d;
import dev.gyre.nn.Geglu;
import dev.gyre.nn.GroupNorm;
import dev.gyre.nn.LayerNorm;
import dev.gyre.nn.Linear;
import dev.gyre.nn.TimestepEmbedding;
import dev.gyre.nn.Transpose;
import dev.gyre.nn.Upsample;
import dev.gyre.nn.Weights;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * The network that predicts the noise in a latent picture (Rombach et al. 2022; the original {@code openaimodel.py}'s layout).
 *
 * @param in channels of the input: 4
 * @param out channels of the prediction: 4
 * @param widths channels of each level, finest first: 320, 640, 1280, 1280
 * @param blocks residual blocks a level on the way down: 2; one more on the way up
 * @param attention which levels look at the text: all but the coarsest
 * @param context channels of the text's states: 768
 * @param heads heads of every attention: 8
 * @param groups groups of every group norm: 32
 */
record UNet(
        int in,
        int out,
        List<Integer> widths,
        int blocks,
        List<Boolean> attention,
        int context,
        int heads,
        int groups) {

    /**
     * Builds the network.
     *
     * @param x [batch, in, height, width]
     * @param timestep [batch]
     * @param text [batch, tokens, context]
     * @return the noise predicted, [batch, out, height, width]
     */
    Value build(Value x, Value timestep, Value text, Weights at) {
        int width = widths.get(0);
        Value time = TimestepEmbedding.of(timestep, width);
        time = Linear.of(time, 4 * width, at.at("time_embed.0"));
        time = silu(Linear.of(silu(time), 4 * width, at.at("time_embed.2"))); // every block begins with this SiLU

        Deque<Value> skips = new ArrayDeque<>();
        int block = 0;
        Value h = Conv2d.of(x, width, 3, at.at("input_blocks." + block++ + ".0"));
        skips.push(h);
        for (int level = 0; level < widths.size(); level++) {
            for (int i = 0; i < blocks; i++) {
                Weights here = at.at("input_blocks", block++);
                h = residual(h, time, widths.get(level), here.at("0"));
                if (attention.get(level)) h = transformer(h, text, here.at("1"));
                skips.push(h);
            }
            if (level == widths.size() - 1) break;
            h = Conv2d.of(
                    h,
                    widths.get(level),
                    3,
                    2,
                    1,
                    1,
                    at.at("input_blocks", block++).at("0.op"));
            skips.push(h);
        }

        int coarsest = widths.get(widths.size() - 1);
        h = residual(h, time, coarsest, at.at("middle_block.0"));
        h = transformer(h, text, at.at("middle_block.1"));
        h = residual(h, time, coarsest, at.at("middle_block.2"));

        block = 0;
        for (int level = widths.size() - 1; level >= 0; level--)
            for (int i = 0; i <= blocks; i++) {
                Weights here = at.at("output_blocks", block++);
                h = residual(Concat.of(h, skips.pop()), time, widths.get(level), here.at("0"));
                if (attention.get(level)) h = transformer(h, text, here.at("1"));
                if (i == blocks && level > 0) {
                    // To the size of the skip to come: twice this one, or one less where the way down rounded up.
                    Value next = skips.element();
                    h = Upsample.of(h, next.dim(2), next.dim(3));
                    h = Conv2d.of(h, widths.get(level), 3, here.at(attention.get(level) ? "2.conv" : "1.conv"));
                }
            }
        return Conv2d.of(silu(GroupNorm.of(h, groups, 1e-5f, at.at("out.0"))), out, 3, at.at("out.2"));
    }

    private Value residual(Value x, Value time, int out, Weights at) {
        Value h = Conv2d.of(silu(GroupNorm.of(x, groups, 1e-5f, at.at("in_layers.0"))), out, 3, at.at("in_layers.2"));
        h = AddPerChannel.of(h, Linear.of(time, out, at.at("emb_layers.1")));
        h = Conv2d.of(silu(GroupNorm.of(h, groups, 1e-5f, at.at("out_layers.0"))), out, 3, at.at("out_layers.3"));
        return Add.of(h, x.dim(1) == out ? x : Conv2d.of(x, out, 1, at.at("skip_connection")));
    }

    private Value transformer(Value x, Value text, Weights at) {
        int batch = x.dim(0), channels = x.dim(1), height = x.dim(2), width = x.dim(3);
        Value h = Conv2d.of(GroupNorm.of(x, groups, 1e-6f, at.at("norm")), channels, 1, at.at("proj_in"));
        h = Transpose.of(h.reshape(batch, channels, height * width)); // [batch, pixels, channels]
        Weights block = at.at("transformer_blocks.0");
        h = Add.of(h, attend(LayerNorm.of(h, block.at("norm1")), null, block.at("attn1")));
        h = Add.of(h, attend(LayerNorm.of(h, block.at("norm2")), text, block.at("attn2")));
        h = Add.of(h, feedForward(LayerNorm.of(h, block.at("norm3")), block.at("ff.net")));
        h = Transpose.of(h).reshape(batch, channels, height, width);
        return Add.of(Conv2d.of(h, channels, 1, at.at("proj_out")), x);
    }

    /** Attention of x to {@code text}, or to itself where that is null. */
    private Value attend(Value x, Value text, Weights at) {
        Value seen = text == null ? x : text;
        int channels = x.dim(2);
        Value y = Attention.of(
                Linear.withoutBias(x, channels, at.at("to_q")),
                Linear.withoutBias(seen, channels, at.at("to_k")),
                Linear.withoutBias(seen, channels, at.at("to_v")),
                heads,
                false);
        return Linear.of(y, channels, at.at("to_out.0"));
    }

    private static Value feedForward(Value x, Weights at) {
        int channels = x.dim(2);
        return Linear.of(Geglu.of(Linear.of(x, 8 * channels, at.at("0.proj"))), channels, at.at("2"));
    }
}
