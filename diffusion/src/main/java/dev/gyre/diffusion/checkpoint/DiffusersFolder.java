package dev.gyre.diffusion.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gyre.diffusion.file.WeightFile;
import dev.gyre.jsafetensors.SafeTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads a diffusers folder: a folder for each part of the model with a {@code config.json} and weights. Tensors get the original's
 * names.
 */
public final class DiffusersFolder {
    private static final List<String> WEIGHTS =
            List.of("diffusion_pytorch_model", "diffusion_pytorch_model.fp16", "model", "model.fp16");

    private DiffusersFolder() {}

    /** Adds the model's tensors to a checkpoint. */
    static void read(Path folder, Checkpoint to) throws IOException {
        if (!Files.isDirectory(folder.resolve("unet")))
            throw new IOException(folder + ": expected a diffusers folder; it has no folder" + " \"unet\"");
        JsonNode unet = config(folder.resolve("unet"));
        JsonNode scheduler = config(folder.resolve("scheduler"), "scheduler_config.json");
        to.metadata(Checkpoint.PREDICTION_TYPE, text(scheduler, "prediction_type"));
        to.metadata(Checkpoint.ZERO_TERMINAL_SNR, text(scheduler, "rescale_betas_zero_snr"));
        to.metadata(Checkpoint.TIMESTEP_SPACING, text(scheduler, "timestep_spacing"));
        to.metadata("unet_heads", heads(folder, unet));
        to.metadata("norm_groups", number(folder, unet, "norm_num_groups"));
        unet(weights(folder.resolve("unet")), to);
        vae(weights(folder.resolve("vae")), to);
        textEncoder(folder, "", to);
        if (Files.isDirectory(folder.resolve("text_encoder_2"))) textEncoder(folder, "_2", to);
    }

    /** @param number behind the folder's name, and behind the first word of the tensors' and the metadata's */
    private static void textEncoder(Path folder, String number, Checkpoint to) throws IOException {
        Path part = folder.resolve("text_encoder" + number);
        to.metadata("text_heads" + number, number(folder, config(part), "num_attention_heads"));
        String root = Checkpoint.TEXT.replaceFirst("\\.", number + ".");
        to.add(weights(part), key -> Optional.of(root + "." + key));
    }

    static void unet(SafeTensors file, Checkpoint to) {
        DiffusersKeys names = unetNames(new TreeSet<>(file.names()));
        to.add(file, key -> names.original(key).map(name -> Checkpoint.UNET + "." + name));
    }

    static void vae(SafeTensors file, Checkpoint to) {
        TreeSet<String> keys = new TreeSet<>(file.names());
        DiffusersKeys names =
                DiffusersKeys.vae(count(keys, "encoder.down_blocks."), count(keys, "encoder.down_blocks.0.resnets."));
        to.add(file, key -> names.original(key).map(name -> Checkpoint.VAE + "." + name));
    }

    /** The names of a UNet or a ControlNet with these diffusers keys. */
    public static DiffusersKeys unetNames(TreeSet<String> keys) {
        return DiffusersKeys.unet(
                count(keys, "down_blocks."),
                count(keys, "down_blocks.0.resnets."),
                level -> begins(keys, "down_blocks." + level + ".attentions."));
    }

    /** The count of numbered entries behind a prefix. */
    private static int count(TreeSet<String> keys, String prefix) {
        Pattern number = Pattern.compile(Pattern.quote(prefix) + "(\\d{1,2})\\..*");
        int highest = 0;
        for (String key : keys.tailSet(prefix)) {
            Matcher matcher = number.matcher(key);
            if (!key.startsWith(prefix)) break;
            if (matcher.matches()) highest = Math.max(highest, Integer.parseInt(matcher.group(1)) + 1);
        }
        return highest;
    }

    private static boolean begins(TreeSet<String> keys, String prefix) {
        String first = keys.ceiling(prefix);
        return first != null && first.startsWith(prefix);
    }

    /** The weights of one part: in one file or in shards, in half precision where there are no others. */
    public static SafeTensors weights(Path part) throws IOException {
        List<String> looked = new ArrayList<>();
        for (String name : WEIGHTS)
            for (String ending : List.of(".safetensors", ".safetensors.index.json")) {
                Path file = part.resolve(name + ending);
                if (Files.exists(file)) return WeightFile.open(file);
                looked.add(name + ending);
            }
        for (String pickle : List.of("diffusion_pytorch_model.bin", "pytorch_model.bin"))
            if (Files.exists(part.resolve(pickle))) WeightFile.open(part.resolve(pickle)); // throws, saying why
        throw new IOException(part + ": no weights; looked for " + String.join(", ", looked));
    }

    /** A part's configuration; empty where it has none. */
    private static JsonNode config(Path part) throws IOException {
        return config(part, "config.json");
    }

    private static JsonNode config(Path part, String name) throws IOException {
        Path file = part.resolve(name);
        ObjectMapper mapper = new ObjectMapper();
        if (!Files.exists(file)) return mapper.createObjectNode();
        try {
            return mapper.readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw new IOException(file + ": invalid JSON: " + e.getOriginalMessage(), e);
        }
    }

    private static Optional<String> text(JsonNode config, String key) {
        return Optional.of(config.path(key)).filter(JsonNode::isValueNode).map(JsonNode::asText);
    }

    private static Optional<String> number(Path folder, JsonNode config, String key) throws IOException {
        JsonNode value = config.path(key);
        if (value.isMissingNode() || value.isNull()) return Optional.empty();
        if (!value.isIntegralNumber() || value.asLong() < 1 || value.asLong() > 1024)
            throw new IOException(folder + ": \"" + key + "\" is a whole number from 1 to 1024, got " + value);
        return Optional.of(value.asText());
    }

    /** {@code attention_head_dim} is the number of heads in the configurations of v1. */
    private static Optional<String> heads(Path folder, JsonNode unet) throws IOException {
        JsonNode heads = unet.path("attention_head_dim");
        if (heads.isArray()) {
            Set<JsonNode> all = new HashSet<>();
            heads.forEach(all::add);
            return Optional.of(all.size() == 1 ? all.iterator().next().asText() : heads.toString());
        }
        return number(folder, unet, "attention_head_dim");
    }
}
