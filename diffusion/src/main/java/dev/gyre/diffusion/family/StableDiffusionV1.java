package dev.gyre.diffusion.family;

import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.network.TextEncoder;
import dev.gyre.diffusion.network.UNet;
import dev.gyre.diffusion.network.Vae;
import dev.gyre.diffusion.sampler.NoiseSchedule;
import dev.gyre.diffusion.sampler.Prediction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Stable Diffusion v1.x (Rombach et al. 2022), its inpainting models and those fine-tuned to predict v. Widths, depths and levels come
 * from the shapes of a checkpoint's tensors; what shapes cannot tell is v1.5's unless the file's metadata says otherwise. Where a tensor is
 * missing v1.5's value stands in, so that what is missing can be named.
 */
public final class StableDiffusionV1 implements Family {
    private static final String NAME = "Stable Diffusion v1";

    /** Stable Diffusion v1.5. */
    public static final ModelConfig V1_5 = config(
            new TextEncoder(49408, 77, 768, 3072, 12, 12),
            Checkpoint.TEXT + ".text_model",
            new UNet(4, 4, List.of(320, 640, 1280, 1280), 2, List.of(true, true, true, false), 768, 8, 32),
            new Vae(4, List.of(128, 256, 512, 512), 2, 32));

    /** What the coarser levels are wider by. */
    private static final List<Integer> MULTIPLES = List.of(1, 2, 4, 4);

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public boolean recognises(Checkpoint file) {
        return file.hasAny(Checkpoint.UNET + ".");
    }

    @Override
    public ModelConfig config(Checkpoint file, Optional<Prediction> prediction) {
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
        String root = textRoot(file);
        return config(text(file, root), root, unet, vae).with(Objective.of(file, prediction, Prediction.EPSILON));
    }

    /**
     * A model of this family with networks of one's own sizes.
     *
     * @param textRoot where the text encoder's keys begin
     */
    public static ModelConfig config(TextEncoder text, String textRoot, UNet unet, Vae vae) {
        return new ModelConfig(
                NAME,
                new ClipText(text, textRoot),
                unet,
                vae,
                // The preview is ComfyUI's; near the truth for all VAEs of this family, which share their latents.
                new LatentSpace(0.18215f, 0, new LatentPreview(new double[][] {
                    {0, 0.3512, 0.3250, -0.2829, -0.2120},
                    {0, 0.2297, 0.4974, 0.1762, -0.2616},
                    {0, 0.3227, 0.2350, 0.2721, -0.7177}
                })),
                Prediction.EPSILON,
                new NoiseSchedule(),
                new Defaults(
                        512, Integer.MAX_VALUE, OptionalInt.empty(), OptionalDouble.empty(), Optional.empty(), false));
    }

    /** The text encoder's keys begin so; newer exports leave {@code text_model.} out. */
    private static String textRoot(Checkpoint file) {
        String root = Checkpoint.TEXT;
        return file.hasAny(root + ".embeddings.") || file.hasAny(root + ".encoder.") ? root : root + ".text_model";
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

    private static TextEncoder text(Checkpoint file, String textRoot) {
        String root = textRoot + ".";
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

    /** A positive whole number of the metadata, if it is there. */
    static OptionalInt metadata(Checkpoint file, String key) {
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
