package dev.gyre.diffusion.adapter;

import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.checkpoint.DiffusersKeys;
import dev.gyre.diffusion.family.ModelConfig;
import dev.gyre.diffusion.network.UNet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How LoRA files name a model's layers: diffusers' names with dots or underscores, followed by the part of the layer's adapter. */
final class LoraKeys {
    /** The tensors of a layer's adapter. */
    enum Part {
        DOWN,
        MID,
        UP,
        ALPHA
    }

    /** The layer and the part that a tensor belongs to. */
    record Place(String layer, Part part) {}

    private static final Map<String, Part> PARTS =
            Map.of("down", Part.DOWN, "A", Part.DOWN, "mid", Part.MID, "up", Part.UP, "B", Part.UP);

    /** The layer's path, then the part. PEFT may put an adapter's name before {@code weight}. */
    private static final List<Pattern> FORMS = List.of(
            Pattern.compile("(?<layer>.+)\\.lora_(?<part>down|mid|up)\\.weight"),
            Pattern.compile("(?<layer>.+)\\.lora_(?<part>A|B)(\\.[^.]+)?\\.weight"),
            Pattern.compile("(?<layer>.+)\\.lora(_linear_layer)?\\.(?<part>down|up)\\.weight"),
            Pattern.compile("(?<layer>.+\\.processor\\.to_(q|k|v|out))_lora\\.(?<part>down|up)\\.weight"));

    private static final Pattern KOHYA = Pattern.compile("lora_(unet|te\\d?)_.*");

    /** A layer of a text encoder in diffusers' names, which number the second. */
    private static final Pattern TEXT_ENCODER = Pattern.compile("text_encoder(?:_(\\d))?\\.(.*)");

    private LoraKeys() {}

    /** The place of a key; null for a tensor that is not of a LoRA. */
    static Place place(String key) {
        if (key.endsWith(".alpha")) return new Place(key.substring(0, key.length() - ".alpha".length()), Part.ALPHA);
        for (Pattern form : FORMS) {
            Matcher matcher = form.matcher(key);
            if (matcher.matches()) return new Place(matcher.group("layer"), PARTS.get(matcher.group("part")));
        }
        return null;
    }

    /** Whether a layer is a text encoder's. */
    static boolean isText(String layer) {
        return normal(layer).startsWith("lora_te");
    }

    /** A layer's name in kohya's spelling, from any spelling. */
    static String normal(String layer) {
        String path = layer.replaceFirst("^base_model\\.model\\.", "")
                .replaceFirst("\\.processor\\.to_out$", ".to_out.0")
                .replace(".processor.", ".");
        if (KOHYA.matcher(path).matches()) return path.replace('.', '_');
        Matcher encoder = TEXT_ENCODER.matcher(path);
        if (encoder.matches())
            return "lora_te" + Objects.toString(encoder.group(1), "") + "_"
                    + encoder.group(2).replace('.', '_');
        if (path.startsWith("text_model.")) return "lora_te_" + path.replace('.', '_');
        return "lora_unet_" + path.replaceFirst("^unet\\.", "").replace('.', '_');
    }

    /** The paths of a model's layers in the original's names, by kohya's names; the UNet's also by the original's. */
    static Map<String, String> of(Checkpoint model, ModelConfig config) {
        UNet unet = config.unet();
        DiffusersKeys names = DiffusersKeys.unet(
                unet.levels().size(),
                unet.blocks(),
                level -> unet.levels().get(level).transformers() > 0);
        Map<String, String> all = new HashMap<>(config.text().adapterNames(model));
        for (String path : model.layers(Checkpoint.UNET)) {
            String layer = path.substring(Checkpoint.UNET.length() + 1);
            all.put("lora_unet_" + layer.replace('.', '_'), path);
            names.diffusers(layer).ifPresent(name -> all.put("lora_unet_" + name.replace('.', '_'), path));
        }
        return all;
    }
}
