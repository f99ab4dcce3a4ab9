package dev.gyre.diffusion.family;

import dev.gyre.core.DType;
import dev.gyre.core.Graph;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.file.WeightFile;
import dev.gyre.diffusion.network.TextEncoder;
import dev.gyre.diffusion.network.UNet;
import dev.gyre.diffusion.network.Vae;
import dev.gyre.nn.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * What a checkpoint's networks look like: widths, depths and levels from the shapes of its tensors; what shapes cannot tell has
 * Stable Diffusion v1.5's values unless the file's {@code __metadata__} says otherwise. Where a tensor is missing v1.5's value
 * stands in, so that what is missing can be named.
 *
 * @param nativeSize the picture size a small model was trained at, where it says so
 */
public record Architecture(TextEncoder text, UNet unet, Vae vae, OptionalInt nativeSize) {
    /** Stable Diffusion v1.5. */
    public static final Architecture SD15 = new Architecture(
            new TextEncoder(49408, 77, 768, 3072, 12, 12),
            new UNet(4, 4, List.of(320, 640, 1280, 1280), 2, List.of(true, true, true, false), 768, 8, 32),
            new Vae(4, List.of(128, 256, 512, 512), 2, 32),
            OptionalInt.empty());

    /** What the coarser levels are wider by. */
    private static final List<Integer> MULTIPLES = List.of(1, 2, 4, 4);

    /** @throws IllegalArgumentException when the file is no Stable Diffusion v1 */
    public static Architecture of(Checkpoint file) {
        if (!file.hasAny(Checkpoint.UNET + "."))
            throw new IllegalArgumentException(
                    file.name() + ": not a Stable Diffusion v1 checkpoint in the original layout:"
                            + " no tensor's name begins with " + Checkpoint.UNET);
        int groups = metadata(file, "norm_groups").orElse(32);
        UNet unet = unet(file, groups);
        if (unet.context() == 1024)
            throw new IllegalArgumentException(
                    file.name() + ": a Stable Diffusion 2 checkpoint (its text states are 1024 wide); v1 is supported");
        Vae vae = vae(file, groups);
        if (unet.in() != vae.latent() && unet.in() != 2 * vae.latent() + 1)
            throw new IllegalArgumentException(file.name() + ": its UNet takes " + unet.in()
                    + " channels (an editing model?); models that take " + vae.latent()
                    + ", and inpainting models that take "
                    + (2 * vae.latent() + 1) + ", are supported");
        return new Architecture(text(file), unet, vae, metadata(file, "native_size"));
    }

    /** Whether the UNet was trained to fill in: it sees a mask and what is not masked beside the latents. */
    public boolean inpaints() {
        return unet.in() != vae.latent();
    }

    /**
     * Builds every network once, at the smallest size, to see what it asks for.
     *
     * @return the weights of the text encoder, the UNet and the VAE, in that order, as they were asked for
     */
    public List<Weights> ask(Checkpoint.Source file) {
        Graph graph = new Graph();
        Weights texts = file.text(graph), diffusion = file.unet(graph), pictures = file.vae(graph);
        int side = vae.factor();
        text.build(graph.input("ids", DType.I32, 1, text.length()), 1, texts);
        unet.build(
                graph.input("x", DType.F32, 1, unet.in(), side, side),
                graph.input("timestep", DType.F32, 1),
                graph.input("text", DType.F32, 1, text.length(), unet.context()),
                diffusion);
        vae.encoder(graph.input("picture", DType.F32, 1, 3, side, side), pictures);
        vae.decoder(graph.input("z", DType.F32, 1, vae.latent(), 1, 1), pictures);
        return List.of(texts, diffusion, pictures);
    }

    /**
     * What keeps a checkpoint of this architecture from being loaded: each tensor that is missing or of another shape, a line each;
     * empty when all is there.
     *
     * @param ema whether the UNet's averaged weights are wanted
     * @throws IllegalArgumentException when the sizes make no network
     */
    public List<String> problems(Checkpoint file, boolean ema) {
        try {
            return ask(file.source(ema)).stream()
                    .flatMap(weights -> weights.problems().stream())
                    .toList();
        } catch (IllegalArgumentException e) {
            // Sizes that do not go together, which a layer says.
            throw WeightFile.named(file.described(), e);
        }
    }

    private static UNet unet(Checkpoint file, int groups) {
        String root = Checkpoint.UNET + ".";
        int width = file.dim(root + "input_blocks.0.0.weight", 0, 320);
        int total = count(file, root + "input_blocks.");
        int downs = (int) IntStream.range(0, total)
                .filter(i -> file.hasAny(root + "input_blocks." + i + ".0.op."))
                .count();
        int levels = downs == 0 ? MULTIPLES.size() : downs + 1;
        int blocks = downs == 0 ? 2 : Math.max(1, (total - levels) / levels);
        List<Integer> widths = new ArrayList<>();
        List<Boolean> attention = new ArrayList<>();
        for (int level = 0; level < levels; level++) {
            int first = 1 + level * (blocks + 1);
            String block = root + "input_blocks." + first;
            widths.add(file.dim(block + ".0.out_layers.3.weight", 0, multiple(width, level)));
            attention.add(file.hasAny(block + ".0.") ? file.hasAny(block + ".1.") : level < levels - 1);
        }
        return new UNet(
                file.dim(root + "input_blocks.0.0.weight", 1, 4),
                file.dim(root + "out.2.weight", 0, 4),
                widths,
                blocks,
                attention,
                file.dim(root + "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", 1, 768),
                metadata(file, "unet_heads").orElse(8),
                groups);
    }

    private static Vae vae(Checkpoint file, int groups) {
        String root = Checkpoint.VAE + ".encoder.down.";
        int found = count(file, root);
        int levels = found == 0 ? MULTIPLES.size() : found;
        int blocks = Math.max(1, count(file, root + "0.block."));
        List<Integer> widths = new ArrayList<>();
        int width = file.dim(Checkpoint.VAE + ".encoder.conv_in.weight", 0, 128);
        for (int level = 0; level < levels; level++)
            widths.add(file.dim(root + level + ".block.0.conv1.weight", 0, multiple(width, level)));
        return new Vae(
                file.dim(Checkpoint.VAE + ".post_quant_conv.weight", 1, 4), widths, found == 0 ? 2 : blocks, groups);
    }

    private static TextEncoder text(Checkpoint file) {
        String root = file.textPrefix() + ".";
        int width = file.dim(root + "embeddings.token_embedding.weight", 1, 768);
        int layers = count(file, root + "encoder.layers.");
        return new TextEncoder(
                file.dim(root + "embeddings.token_embedding.weight", 0, 49408),
                file.dim(root + "embeddings.position_embedding.weight", 0, 77),
                width,
                file.dim(root + "encoder.layers.0.mlp.fc1.weight", 0, 4 * width),
                layers == 0 ? 12 : layers,
                metadata(file, "text_heads").orElse(12));
    }

    private static int multiple(int width, int level) {
        return width * MULTIPLES.get(Math.min(level, MULTIPLES.size() - 1));
    }

    /** How many numbers follow the prefix, up to the highest there is: one missing in the middle is not the end. */
    private static int count(Checkpoint file, String prefix) {
        int highest = -1;
        for (int i = 0; i < 64; i++) if (file.hasAny(prefix + i + ".")) highest = i;
        return highest + 1;
    }

    private static OptionalInt metadata(Checkpoint file, String key) {
        String text = file.metadata().get(key);
        if (text == null) return OptionalInt.empty();
        try {
            int value = Integer.parseInt(text);
            if (value > 0) return OptionalInt.of(value);
        } catch (NumberFormatException e) {
            // Said below, as for a number that is not positive.
        }
        throw new IllegalArgumentException(
                file.name() + ": __metadata__ \"" + key + "\" is a positive whole number, got \"" + text + "\"");
    }
}
