package dev.gyre.diffusion.network;

import static dev.gyre.diffusion.network.Layers.silu;

import dev.gyre.core.Value;
import dev.gyre.nn.Weights;
import dev.gyre.nn.attention.Attention;
import dev.gyre.nn.conv.Conv2d;
import dev.gyre.nn.elementwise.Add;
import dev.gyre.nn.elementwise.AddPerChannel;
import dev.gyre.nn.elementwise.Geglu;
import dev.gyre.nn.embedding.TimestepEmbedding;
import dev.gyre.nn.linear.Linear;
import dev.gyre.nn.norm.GroupNorm;
import dev.gyre.nn.norm.LayerNorm;
import dev.gyre.nn.shape.Concat;
import dev.gyre.nn.shape.Transpose;
import dev.gyre.nn.shape.Upsample;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * The network that predicts the noise in a latent picture (Rombach et al. 2022; the original {@code openaimodel.py}'s layout).
 *
 * @param in channels of the input: 4; 9 where it was trained for inpainting
 * @param out channels of the prediction: 4
 * @param widths channels of each level, finest first: 320, 640, 1280, 1280
 * @param blocks residual blocks a level on the way down: 2; one more on the way up
 * @param attention which levels look at the text: all but the coarsest
 * @param context channels of the text's states: 768
 * @param heads heads of every attention: 8
 * @param groups groups of every group norm: 32
 * @param wraps whether pictures are taken to repeat in all directions
 */
public record UNet(
        int in,
        int out,
        List<Integer> widths,
        int blocks,
        List<Boolean> attention,
        int context,
        int heads,
        int groups,
        boolean wraps) {

    public UNet(
            int in,
            int out,
            List<Integer> widths,
            int blocks,
            List<Boolean> attention,
            int context,
            int heads,
            int groups) {
        this(in, out, widths, blocks, attention, context, heads, groups, false);
    }

    public UNet wraps(boolean wraps) {
        return new UNet(in, out, widths, blocks, attention, context, heads, groups, wraps);
    }

    public UNet in(int in) {
        return new UNet(in, out, widths, blocks, attention, context, heads, groups, wraps);
    }

    /** Blocks on the way down, which is what the way up takes skips from: 12. As many are on the way up. */
    public int depth() {
        return widths.size() * (blocks + 1);
    }

    /**
     * Builds the network.
     *
     * @param x [batch, in, height, width]
     * @param timestep [batch]
     * @param text [batch, tokens, context]
     * @return the noise predicted, [batch, out, height, width]
     */
    public Value build(Value x, Value timestep, Value text, Weights at) {
        Value time = time(timestep, at);
        Deque<Value> skips = down(x, time, text, depth(), Optional.empty(), at);
        Value h = middle(skips.element(), time, text, at);
        return out(up(h, skips, time, text, 0, depth(), at), at);
    }

    /** What the sinusoids of a timestep become, [batch, 4 · width]; every block begins with the SiLU that is its last. */
    public Value time(Value timestep, Weights at) {
        int width = widths.get(0);
        Value time = Linear.of(TimestepEmbedding.of(timestep, width), 4 * width, at.at("time_embed.0"));
        return silu(at.named("time_embed", Linear.of(silu(time), 4 * width, at.at("time_embed.2"))));
    }

    /**
     * The first {@code count} blocks on the way down.
     *
     * @param hint what is added to the first block's output
     * @return each block's output, the last on top
     */
    public Deque<Value> down(Value x, Value time, Value text, int count, Optional<Value> hint, Weights at) {
        Deque<Value> skips = new ArrayDeque<>();
        Value first = at.named("input_blocks.0", conv(x, widths.get(0), 1, at.at("input_blocks.0.0")));
        skips.push(hint.map(more -> Add.of(first, more)).orElse(first));
        for (int block = 1; block < count; block++) {
            Weights here = at.at("input_blocks", block);
            int level = (block - 1) / (blocks + 1), width = widths.get(level);
            Value h = skips.element();
            if (block % (blocks + 1) == 0) h = conv(h, width, 2, here.at("0.op"));
            else {
                h = residual(h, time, width, here.at("0"));
                if (attention.get(level)) h = transformer(h, text, here.at("1"));
            }
            skips.push(here.named(h));
        }
        return skips;
    }

    public Value middle(Value x, Value time, Value text, Weights at) {
        int width = widths.get(widths.size() - 1);
        Value h = residual(x, time, width, at.at("middle_block.0"));
        h = residual(transformer(h, text, at.at("middle_block.1")), time, width, at.at("middle_block.2"));
        return at.named("middle_block", h);
    }

    /**
     * Blocks {@code from} to {@code to} on the way up.
     *
     * @param skips what the way down left, without what the blocks before these took
     */
    public Value up(Value x, Deque<Value> skips, Value time, Value text, int from, int to, Weights at) {
        Value h = x;
        for (int block = from; block < to; block++) {
            Weights here = at.at("output_blocks", block);
            int level = upLevel(block), width = widths.get(level);
            h = residual(Concat.of(h, skips.pop()), time, width, here.at("0"));
            if (attention.get(level)) h = transformer(h, text, here.at("1"));
            if (block % (blocks + 1) == blocks && level > 0) {
                // To the size of the skip to come: twice this one, or one less where the way down rounded up.
                Value next = skips.element();
                h = Upsample.of(h, next.dim(2), next.dim(3));
                h = conv(h, width, 1, here.at(attention.get(level) ? "2.conv" : "1.conv"));
            }
            here.named(h);
        }
        return h;
    }

    /** Channels of what enters a block on the way up, the skip not counted. */
    public int upWidth(int block) {
        return widths.get(upLevel(Math.max(0, block - 1)));
    }

    private int upLevel(int block) {
        return widths.size() - 1 - block / (blocks + 1);
    }

    public Value out(Value h, Weights at) {
        return conv(silu(GroupNorm.of(h, groups, 1e-5f, at.at("out.0"))), out, 1, at.at("out.2"));
    }

    /** 3×3. */
    private Value conv(Value x, int out, int stride, Weights at) {
        return Layers.conv(x, out, stride, wraps, at);
    }

    private Value residual(Value x, Value time, int out, Weights at) {
        Value h = conv(silu(GroupNorm.of(x, groups, 1e-5f, at.at("in_layers.0"))), out, 1, at.at("in_layers.2"));
        h = AddPerChannel.of(h, Linear.of(time, out, at.at("emb_layers.1")));
        h = conv(silu(GroupNorm.of(h, groups, 1e-5f, at.at("out_layers.0"))), out, 1, at.at("out_layers.3"));
        return at.named(Add.of(h, x.dim(1) == out ? x : Conv2d.of(x, out, 1, at.at("skip_connection"))));
    }

    private Value transformer(Value x, Value text, Weights at) {
        int batch = x.dim(0), channels = x.dim(1), height = x.dim(2), width = x.dim(3);
        Value h = Conv2d.of(GroupNorm.of(x, groups, 1e-6f, at.at("norm")), channels, 1, at.at("proj_in"));
        h = Transpose.of(h.reshape(batch, channels, height * width)); // [batch, pixels, channels]
        Weights block = at.at("transformer_blocks.0");
        h = Add.of(h, attend(LayerNorm.of(h, block.at("norm1")), null, block.at("attn1")));
        h = Add.of(h, attend(LayerNorm.of(h, block.at("norm2")), text, block.at("attn2")));
        h = block.named(Add.of(h, feedForward(LayerNorm.of(h, block.at("norm3")), block.at("ff"))));
        h = Transpose.of(h).reshape(batch, channels, height, width);
        return at.named(Add.of(Conv2d.of(h, channels, 1, at.at("proj_out")), x));
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
        return at.named(Linear.of(at.named("heads", y), channels, at.at("to_out.0")));
    }

    private static Value feedForward(Value x, Weights at) {
        int channels = x.dim(2);
        Value h = at.named("net.0", Geglu.of(Linear.of(x, 8 * channels, at.at("net.0.proj"))));
        return at.named(Linear.of(h, channels, at.at("net.2")));
    }
}
