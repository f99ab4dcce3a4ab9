package dev.gyre.diffusion.network;

import static dev.gyre.diffusion.network.Layers.silu;

import dev.gyre.core.DType;
import dev.gyre.core.Graph;
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
import java.util.stream.IntStream;

/**
 * The denoising network (Rombach et al. 2022; the layout of the original {@code openaimodel.py}).
 *
 * @param in channels of the input: 4; 9 for inpainting
 * @param out channels of the prediction: 4
 * @param levels finest first
 * @param blocks residual blocks a level on the way down: 2; one more on the way up
 * @param context channels of the text's states: 768
 * @param vector channels of a vector that it takes beside text and timestep; 0 without
 * @param linear whether the projections around the transformer blocks are linear layers, rather than 1×1 convolutions
 * @param groups groups of every group norm: 32
 * @param wraps whether opposite edges of pictures continue each other
 */
public record UNet(
        int in,
        int out,
        List<Level> levels,
        int blocks,
        int context,
        int vector,
        boolean linear,
        int groups,
        boolean wraps) {

    /**
     * A level of the UNet.
     *
     * @param width channels: 320, 640, 1280, 1280
     * @param transformers transformer blocks after each residual block, which attend to the text: 1; 0 at the coarsest level
     * @param heads heads of every attention: 8
     */
    public record Level(int width, int transformers, int heads) {}

    /**
     * As Stable Diffusion v1's.
     *
     * @param widths channels of each level, finest first
     * @param attention which levels attend to the text
     * @param heads heads of every attention
     */
    public UNet(
            int in,
            int out,
            List<Integer> widths,
            int blocks,
            List<Boolean> attention,
            int context,
            int heads,
            int groups) {
        this(
                in,
                out,
                IntStream.range(0, widths.size())
                        .mapToObj(i -> new Level(widths.get(i), attention.get(i) ? 1 : 0, heads))
                        .toList(),
                blocks,
                context,
                0,
                false,
                groups,
                false);
    }

    public UNet wraps(boolean wraps) {
        return new UNet(in, out, levels, blocks, context, vector, linear, groups, wraps);
    }

    public UNet in(int in) {
        return new UNet(in, out, levels, blocks, context, vector, linear, groups, wraps);
    }

    /** Blocks on the way down, each with a skip connection to one on the way up: 12. */
    public int depth() {
        return levels.size() * (blocks + 1);
    }

    /**
     * Builds the network.
     *
     * @param x [batch, in, height, width]
     * @param timestep [batch]
     * @param text [batch, tokens, context]
     * @param vector [batch, vector], where it takes one
     * @return the prediction, [batch, out, height, width]
     */
    public Value build(Value x, Value timestep, Value text, Optional<Value> vector, Weights at) {
        Value time = time(timestep, vector, at);
        Deque<Value> skips = down(x, time, text, depth(), Optional.empty(), at);
        Value h = middle(skips.element(), time, text, at);
        return out(up(h, skips, time, text, 0, depth(), at), at);
    }

    /** The graph's input for the vector, where it takes one. */
    public Optional<Value> vectorInput(Graph graph, int batch) {
        return vector == 0 ? Optional.empty() : Optional.of(graph.input("vector", DType.F32, batch, vector));
    }

    /** Channels of the finest level. */
    public int width() {
        return levels.getFirst().width;
    }

    /**
     * The embedding of the timestep, and of the vector where it takes one, [batch, 4 · width]; every block begins with the SiLU that is its
     * last.
     */
    public Value time(Value timestep, Optional<Value> vector, Weights at) {
        Value time = embedding(TimestepEmbedding.of(timestep, width()), at.at("time_embed"));
        Value both = vector.map(label -> Add.of(time, embedding(label, at.at("label_emb.0"))))
                .orElse(time);
        return silu(at.named("time_embed", both));
    }

    private Value embedding(Value x, Weights at) {
        Value h = silu(Linear.of(x, 4 * width(), at.at("0")));
        return Linear.of(h, 4 * width(), at.at("2"));
    }

    /**
     * The first {@code count} blocks on the way down.
     *
     * @param hint is added to the first block's output
     * @return each block's output, the last on top
     */
    public Deque<Value> down(Value x, Value time, Value text, int count, Optional<Value> hint, Weights at) {
        Deque<Value> skips = new ArrayDeque<>();
        Value first = at.named("input_blocks.0", conv(x, width(), 1, at.at("input_blocks.0.0")));
        skips.push(hint.map(more -> Add.of(first, more)).orElse(first));
        for (int block = 1; block < count; block++) {
            Weights here = at.at("input_blocks", block);
            Level level = levels.get((block - 1) / (blocks + 1));
            Value h = skips.element();
            if (block % (blocks + 1) == 0) h = conv(h, level.width, 2, here.at("0.op"));
            else {
                h = residual(h, time, level.width, here.at("0"));
                if (level.transformers > 0) h = transformers(h, text, level.transformers, level.heads, here.at("1"));
            }
            skips.push(here.named(h));
        }
        return skips;
    }

    /** The blocks between the way down and the way up: as many transformer blocks as the level that has most. */
    public Value middle(Value x, Value time, Value text, Weights at) {
        Level level = levels.getLast();
        int most = levels.stream().mapToInt(Level::transformers).max().orElseThrow();
        Value h = residual(x, time, level.width, at.at("middle_block.0"));
        h = transformers(h, text, most, level.heads, at.at("middle_block.1"));
        h = residual(h, time, level.width, at.at("middle_block.2"));
        return at.named("middle_block", h);
    }

    /**
     * Blocks {@code from} to {@code to} on the way up.
     *
     * @param skips the outputs of the way down that are left for these blocks
     */
    public Value up(Value x, Deque<Value> skips, Value time, Value text, int from, int to, Weights at) {
        Value h = x;
        for (int block = from; block < to; block++) {
            Weights here = at.at("output_blocks", block);
            Level level = upLevel(block);
            h = residual(Concat.of(h, skips.pop()), time, level.width, here.at("0"));
            if (level.transformers > 0) h = transformers(h, text, level.transformers, level.heads, here.at("1"));
            if (block % (blocks + 1) == blocks && block < depth() - 1) {
                // To the size of the next skip: twice this one, or one less where the way down rounded up.
                Value next = skips.element();
                h = Upsample.of(h, next.dim(2), next.dim(3));
                h = conv(h, level.width, 1, here.at(level.transformers > 0 ? "2.conv" : "1.conv"));
            }
            here.named(h);
        }
        return h;
    }

    /** Channels of what enters a block on the way up, the skip not counted. */
    public int upWidth(int block) {
        return upLevel(Math.max(0, block - 1)).width;
    }

    private Level upLevel(int block) {
        return levels.get(levels.size() - 1 - block / (blocks + 1));
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

    private Value transformers(Value x, Value text, int count, int heads, Weights at) {
        int batch = x.dim(0), channels = x.dim(1), height = x.dim(2), width = x.dim(3);
        Value h = GroupNorm.of(x, groups, 1e-6f, at.at("norm"));
        if (!linear) h = Conv2d.of(h, channels, 1, at.at("proj_in"));
        h = Transpose.of(h.reshape(batch, channels, height * width)); // [batch, pixels, channels]
        if (linear) h = Linear.of(h, channels, at.at("proj_in"));
        for (int i = 0; i < count; i++) h = transformer(h, text, heads, at.at("transformer_blocks", i));
        if (linear) h = Linear.of(h, channels, at.at("proj_out"));
        h = Transpose.of(h).reshape(batch, channels, height, width);
        if (!linear) h = Conv2d.of(h, channels, 1, at.at("proj_out"));
        return at.named(Add.of(h, x));
    }

    private Value transformer(Value x, Value text, int heads, Weights at) {
        Value h = Add.of(x, attend(LayerNorm.of(x, at.at("norm1")), null, heads, at.at("attn1")));
        h = Add.of(h, attend(LayerNorm.of(h, at.at("norm2")), text, heads, at.at("attn2")));
        return at.named(Add.of(h, feedForward(LayerNorm.of(h, at.at("norm3")), at.at("ff"))));
    }

    /** Attention of x to {@code text}, or to itself where that is null. */
    private Value attend(Value x, Value text, int heads, Weights at) {
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
