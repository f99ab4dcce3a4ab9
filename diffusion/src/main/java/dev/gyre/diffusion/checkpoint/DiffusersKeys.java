package dev.gyre.diffusion.checkpoint;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntPredicate;

/**
 * Maps the layer names of diffusers to those of the original, and back. Paths are relative to the network.
 */
public final class DiffusersKeys {
    /** Layers of the UNet's residual blocks, the original's names first. */
    private static final Map<String, String> UNET_RESIDUAL = Map.of(
            "in_layers.0", "norm1",
            "in_layers.2", "conv1",
            "emb_layers.1", "time_emb_proj",
            "out_layers.0", "norm2",
            "out_layers.3", "conv2",
            "skip_connection", "conv_shortcut");

    private static final Map<String, String> VAE_RESIDUAL = Map.of(
            "norm1", "norm1", "conv1", "conv1", "norm2", "norm2", "conv2", "conv2", "nin_shortcut", "conv_shortcut");

    /** The published folders of v1.5 have the older names. */
    private static final List<Map<String, String>> VAE_ATTENTION = List.of(
            Map.of("norm", "group_norm", "q", "to_q", "k", "to_k", "v", "to_v", "proj_out", "to_out.0"),
            Map.of("norm", "group_norm", "q", "query", "k", "key", "v", "value", "proj_out", "proj_attn"));

    /** A block and the names of its layers in both; empty where they are the same. */
    private record Block(String original, String diffusers, Map<String, String> layers) {}

    private final List<Block> blocks = new ArrayList<>();

    private DiffusersKeys() {}

    /**
     * The UNet, or a ControlNet.
     *
     * @param levels of its widths
     * @param count residual blocks a level on the way down
     * @param attention whether a level has attention, the finest being 0
     */
    public static DiffusersKeys unet(int levels, int count, IntPredicate attention) {
        DiffusersKeys names = new DiffusersKeys();
        names.add("time_embed.0", "time_embedding.linear_1");
        names.add("time_embed.2", "time_embedding.linear_2");
        names.add("label_emb.0.0", "add_embedding.linear_1");
        names.add("label_emb.0.2", "add_embedding.linear_2");
        names.add("input_blocks.0.0", "conv_in");
        names.add("out.0", "conv_norm_out");
        names.add("out.2", "conv_out");
        for (int level = 0; level < levels; level++) {
            for (int i = 0; i < count; i++)
                names.unetBlock(
                        "input_blocks." + (level * (count + 1) + i + 1),
                        "down_blocks." + level,
                        i,
                        attention.test(level));
            names.add(
                    "input_blocks." + (level + 1) * (count + 1) + ".0.op",
                    "down_blocks." + level + ".downsamplers.0.conv");
            int up = levels - 1 - level, last = up * (count + 1) + count;
            for (int i = 0; i <= count; i++)
                names.unetBlock("output_blocks." + (up * (count + 1) + i), "up_blocks." + up, i, attention.test(level));
            names.add(
                    "output_blocks." + last + (attention.test(level) ? ".2.conv" : ".1.conv"),
                    "up_blocks." + up + ".upsamplers.0.conv");
        }
        names.blocks.add(new Block("middle_block.0", "mid_block.resnets.0", UNET_RESIDUAL));
        names.add("middle_block.1", "mid_block.attentions.0");
        names.blocks.add(new Block("middle_block.2", "mid_block.resnets.1", UNET_RESIDUAL));
        names.controlNet(levels * (count + 1));
        return names;
    }

    private void unetBlock(String original, String diffusers, int i, boolean attention) {
        blocks.add(new Block(original + ".0", diffusers + ".resnets." + i, UNET_RESIDUAL));
        if (attention) add(original + ".1", diffusers + ".attentions." + i);
    }

    private void controlNet(int skips) {
        add("input_hint_block.0", "controlnet_cond_embedding.conv_in");
        for (int i = 0; i < 6; i++) add("input_hint_block." + (2 * i + 2), "controlnet_cond_embedding.blocks." + i);
        add("input_hint_block.14", "controlnet_cond_embedding.conv_out");
        for (int i = 0; i < skips; i++) add("zero_convs." + i + ".0", "controlnet_down_blocks." + i);
        add("middle_block_out.0", "controlnet_mid_block");
    }

    /**
     * The VAE.
     *
     * @param count residual blocks a level of the encoder
     */
    public static DiffusersKeys vae(int levels, int count) {
        DiffusersKeys names = new DiffusersKeys();
        names.add("quant_conv", "quant_conv");
        names.add("post_quant_conv", "post_quant_conv");
        for (String half : List.of("encoder", "decoder")) {
            names.add(half + ".conv_in", half + ".conv_in");
            names.add(half + ".norm_out", half + ".conv_norm_out");
            names.add(half + ".conv_out", half + ".conv_out");
            for (int i = 0; i < 2; i++)
                names.blocks.add(
                        new Block(half + ".mid.block_" + (i + 1), half + ".mid_block.resnets." + i, VAE_RESIDUAL));
            for (Map<String, String> layers : VAE_ATTENTION)
                names.blocks.add(new Block(half + ".mid.attn_1", half + ".mid_block.attentions.0", layers));
        }
        for (int level = 0; level < levels; level++) {
            String down = "encoder.down." + level, up = "decoder.up." + (levels - 1 - level);
            for (int i = 0; i <= count; i++) {
                names.blocks.add(new Block(
                        down + ".block." + i, "encoder.down_blocks." + level + ".resnets." + i, VAE_RESIDUAL));
                names.blocks.add(
                        new Block(up + ".block." + i, "decoder.up_blocks." + level + ".resnets." + i, VAE_RESIDUAL));
            }
            names.add(down + ".downsample.conv", "encoder.down_blocks." + level + ".downsamplers.0.conv");
            names.add(up + ".upsample.conv", "decoder.up_blocks." + level + ".upsamplers.0.conv");
        }
        return names;
    }

    private void add(String original, String diffusers) {
        blocks.add(new Block(original, diffusers, Map.of()));
    }

    /** The original's key of diffusers' key, if there is such a layer. */
    public Optional<String> original(String key) {
        return blocks.stream()
                .flatMap(block -> {
                    Map<String, String> layers = new HashMap<>();
                    block.layers.forEach((original, diffusers) -> layers.put(diffusers, original));
                    return renamed(key, block.diffusers, block.original, layers).stream();
                })
                .findFirst();
    }

    /** diffusers' key of the original's key, if there is such a layer. */
    public Optional<String> diffusers(String key) {
        return blocks.stream()
                .flatMap(block -> renamed(key, block.original, block.diffusers, block.layers).stream())
                .findFirst();
    }

    private static Optional<String> renamed(String key, String from, String to, Map<String, String> layers) {
        if (!begins(key, from)) return Optional.empty();
        String rest = key.substring(from.length());
        if (layers.isEmpty()) return Optional.of(to + rest);
        return layers.entrySet().stream()
                .filter(layer -> begins(rest, "." + layer.getKey()))
                .map(layer -> to + "." + layer.getValue()
                        + rest.substring(1 + layer.getKey().length()))
                .findFirst();
    }

    private static boolean begins(String key, String path) {
        return key.startsWith(path) && (key.length() == path.length() || key.charAt(path.length()) == '.');
    }
}
