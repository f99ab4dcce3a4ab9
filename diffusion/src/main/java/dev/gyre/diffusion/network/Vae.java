package dev.gyre.diffusion.network;

import static dev.gyre.diffusion.network.Layers.silu;

import dev.gyre.core.Value;
import dev.gyre.nn.Weights;
import dev.gyre.nn.attention.Attention;
import dev.gyre.nn.conv.Conv2d;
import dev.gyre.nn.elementwise.Add;
import dev.gyre.nn.norm.GroupNorm;
import dev.gyre.nn.shape.Transpose;
import dev.gyre.nn.shape.Upsample;
import java.util.List;

/**
 * The autoencoder between pictures and latents of an eighth their size (Rombach et al. 2022; the layout of the original {@code model.py}).
 *
 * @param latent channels of a latent: 4
 * @param widths channels of each level, finest first: 128, 256, 512, 512
 * @param blocks residual blocks a level of the encoder: 2; one more in the decoder
 * @param groups groups of every group norm: 32
 * @param wraps whether opposite edges of pictures continue each other
 */
public record Vae(int latent, List<Integer> widths, int blocks, int groups, boolean wraps) {
    private static final float EPSILON = 1e-6f;

    public Vae(int latent, List<Integer> widths, int blocks, int groups) {
        this(latent, widths, blocks, groups, false);
    }

    public Vae wraps(boolean wraps) {
        return new Vae(latent, widths, blocks, groups, wraps);
    }

    /** Pixels a latent's side stands for. */
    public int factor() {
        return 1 << (widths.size() - 1);
    }

    /**
     * Builds the decoder.
     *
     * @param z [batch, latent, height, width], at its own scale
     * @return the picture, [batch, 3, 8·height, 8·width], −1 black to 1 white, not clamped
     */
    public Value decoder(Value z, Weights at) {
        Value h = Conv2d.of(z, latent, 1, at.at("post_quant_conv"));
        at = at.at("decoder");
        int coarsest = widths.get(widths.size() - 1);
        h = middle(conv(h, coarsest, at.at("conv_in")), at.at("mid"));
        for (int level = widths.size() - 1; level >= 0; level--) {
            Weights up = at.at("up", level);
            for (int i = 0; i <= blocks; i++) h = residual(h, widths.get(level), up.at("block", i));
            if (level > 0) {
                h = Upsample.of(h, 2 * h.dim(2), 2 * h.dim(3));
                h = conv(h, widths.get(level), up.at("upsample.conv"));
            }
        }
        return conv(silu(norm(h, at.at("norm_out"))), 3, at.at("conv_out"));
    }

    /**
     * Builds the encoder.
     *
     * @param picture [batch, 3, height, width], −1 to 1
     * @return mean, then log-variance (not clamped) of each latent, [batch, 2 · latent, height / 8, width / 8], not scaled
     */
    public Value encoder(Value picture, Weights root) {
        Weights at = root.at("encoder");
        Value h = conv(picture, widths.get(0), at.at("conv_in"));
        for (int level = 0; level < widths.size(); level++) {
            Weights down = at.at("down", level);
            for (int i = 0; i < blocks; i++) h = residual(h, widths.get(level), down.at("block", i));
            // Zeros to the right and below only, as in the original.
            if (level < widths.size() - 1) h = Conv2d.of(h, widths.get(level), 3, 2, 0, 1, down.at("downsample.conv"));
        }
        h = middle(h, at.at("mid"));
        h = conv(silu(norm(h, at.at("norm_out"))), 2 * latent, at.at("conv_out"));
        return Conv2d.of(h, 2 * latent, 1, root.at("quant_conv"));
    }

    private Value middle(Value x, Weights at) {
        int channels = x.dim(1);
        return residual(attend(residual(x, channels, at.at("block_1")), at.at("attn_1")), channels, at.at("block_2"));
    }

    private Value residual(Value x, int out, Weights at) {
        Value h = conv(silu(norm(x, at.at("norm1"))), out, at.at("conv1"));
        h = conv(silu(norm(h, at.at("norm2"))), out, at.at("conv2"));
        return at.named(Add.of(h, x.dim(1) == out ? x : Conv2d.of(x, out, 1, at.at("nin_shortcut"))));
    }

    /** One head over all pixels. */
    private Value attend(Value x, Weights at) {
        int channels = x.dim(1);
        Value h = norm(x, at.at("norm"));
        Value y = Attention.of(
                pixels(Conv2d.of(h, channels, 1, at.at("q"))),
                pixels(Conv2d.of(h, channels, 1, at.at("k"))),
                pixels(Conv2d.of(h, channels, 1, at.at("v"))),
                1,
                false);
        y = Transpose.of(at.named("heads", y)).reshape(x.dim(0), channels, x.dim(2), x.dim(3));
        return at.named(Add.of(x, Conv2d.of(y, channels, 1, at.at("proj_out"))));
    }

    /** [batch, channels, height, width] as [batch, pixels, channels]. */
    private static Value pixels(Value x) {
        return Transpose.of(x.reshape(x.dim(0), x.dim(1), x.dim(2) * x.dim(3)));
    }

    /** 3×3. */
    private Value conv(Value x, int out, Weights at) {
        return Layers.conv(x, out, 1, wraps, at);
    }

    private Value norm(Value x, Weights at) {
        return GroupNorm.of(x, groups, EPSILON, at);
    }
}
