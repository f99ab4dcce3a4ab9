package dev.gyre.diffusion.adapter;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gyre.core.Tensor;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.family.ModelConfig;
import dev.gyre.diffusion.file.FileId;
import dev.gyre.diffusion.file.WeightFile;
import dev.gyre.jsafetensors.SafeTensors;
import dev.gyre.nn.LowRank;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A low-rank adapter (Hu et al. 2021; for convolutions LoCon, from LyCORIS). Its products are computed beside a model's layers, so the
 * model's own weights, quantized or not, do not change, and it is loaded and unloaded at no cost. Reads kohya's names and diffusers' (PEFT's
 * and the older ones).
 */
public final class Lora implements AutoCloseable {
    /** Parts of tensor names by which other kinds of adapters are recognised. */
    private static final Map<String, String> OTHER_KINDS = Map.of(
            ".hada_w", "LoHa",
            ".lokr_w", "LoKr",
            ".oft_", "OFT",
            ".dora_scale", "DoRA",
            ".lora_magnitude_vector", "DoRA",
            ".diff", "full difference",
            ".w_norm", "norm",
            ".on_input", "IA3");

    private final SafeTensors file;
    private final FileId origin;
    private final String name;

    /** Tensors of a layer by part, {@code down}, {@code mid}, {@code up} and {@code alpha}, by the layer as the file calls it. */
    private final Map<String, Map<LoraKeys.Part, Tensor>> layers = new TreeMap<>();

    /** The settings in the metadata, with α for layers that have no tensor for it; empty where α is the rank. */
    private final JsonNode settings;

    private Lora(SafeTensors file, Path path) throws IOException {
        this.file = file;
        origin = FileId.of(path);
        name = WeightFile.name(path);
        List<String> unknown = new ArrayList<>();
        for (String key : file.names()) {
            if (TextualInversion.isBundled(key)) continue;
            LoraKeys.Place place = LoraKeys.place(key);
            if (place == null) unknown.add(key);
            else
                layers.computeIfAbsent(place.layer(), l -> new TreeMap<>())
                        .put(place.part(), WeightFile.tensor(file, key, name));
        }
        for (String key : unknown)
            for (Map.Entry<String, String> kind : OTHER_KINDS.entrySet())
                if (key.contains(kind.getKey()))
                    throw new IllegalArgumentException(name + ": an adapter of the kind " + kind.getValue() + " (" + key
                            + "); LoRA and LoCon are supported");
        if (!unknown.isEmpty())
            throw new IllegalArgumentException(name + ": not a LoRA: expected keys that end in \".lora_down.weight\","
                    + " \".lora_A.weight\" and the like, got "
                    + String.join(", ", unknown.subList(0, Math.min(3, unknown.size())))
                    + (unknown.size() > 3 ? " and " + (unknown.size() - 3) + " more" : ""));
        if (layers.isEmpty()) throw new IllegalArgumentException(name + ": not a LoRA: there are no tensors in it");
        settings = settings(file.metadata().get("lora_adapter_metadata"));
    }

    /**
     * Opens an adapter. Keep it open while a model uses it.
     *
     * @throws IOException when it cannot be read
     * @throws IllegalArgumentException when it is no LoRA or LoCon
     */
    public static Lora open(Path path) throws IOException {
        SafeTensors file = WeightFile.open(path);
        try {
            return new Lora(file, path);
        } catch (IOException | RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    private JsonNode settings(String json) {
        ObjectMapper mapper = new ObjectMapper();
        if (json == null) return mapper.createObjectNode();
        try {
            return mapper.readTree(json);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(
                    name + ": __metadata__ \"lora_adapter_metadata\" is not JSON: " + e.getOriginalMessage(), e);
        }
    }

    /** The file's name without its ending, by which prompts refer to it. */
    public String name() {
        return name;
    }

    /** The file. */
    public FileId origin() {
        return origin;
    }

    /** The number of layers that it adapts. */
    public int size() {
        return layers.size();
    }

    /** The learned words bundled with it. */
    public List<TextualInversion> words() {
        return TextualInversion.bundled(file, name);
    }

    /** The owner of its memory. */
    public MemorySegment.Scope scope() {
        return file.data(file.names().get(0)).scope();
    }

    /**
     * The low-rank products that it adds, by the layers' paths in the original's names.
     *
     * @throws IllegalArgumentException when a layer is not the model's or has another shape, naming it
     */
    public Map<String, LowRank> additions(Checkpoint model, ModelConfig config) {
        Map<String, String> names = LoraKeys.of(model, config);
        Map<String, LowRank> additions = new LinkedHashMap<>();
        layers.forEach((layer, parts) -> {
            String path = names.get(LoraKeys.normal(layer));
            if (path == null)
                throw new IllegalArgumentException(name + ": the layer " + layer + " is not in " + model.name()
                        + "; it was made for another model");
            List<Long> weight = model.info(path + ".weight").shape();
            if (additions.put(path, addition(layer, parts, weight)) != null)
                throw new IllegalArgumentException(name + ": the layer " + layer + " appears under two names");
        });
        return additions;
    }

    private LowRank addition(String layer, Map<LoraKeys.Part, Tensor> parts, List<Long> weight) {
        Tensor down = part(layer, parts, LoraKeys.Part.DOWN), up = part(layer, parts, LoraKeys.Part.UP);
        Optional<Tensor> mid = Optional.ofNullable(parts.get(LoraKeys.Part.MID));
        int rank = down.shape().rank() == 0 ? 0 : down.shape().dim(0);
        int out = Math.toIntExact(weight.get(0)), in = Math.toIntExact(weight.get(1));
        int kernel = weight.size() == 4 ? Math.toIntExact(weight.get(2)) : 1;
        check(layer, "down", down, rank, in, mid.isPresent() ? 1 : kernel);
        check(layer, "up", up, out, rank, 1);
        mid.ifPresent(tensor -> check(layer, "mid", tensor, rank, rank, kernel));
        return new LowRank(down, mid, up, (float) (alpha(layer, parts, rank) / rank));
    }

    private Tensor part(String layer, Map<LoraKeys.Part, Tensor> parts, LoraKeys.Part part) {
        Tensor tensor = parts.get(part);
        if (tensor == null)
            throw new IllegalArgumentException(name + ": the layer " + layer + " lacks its part \""
                    + part.name().toLowerCase(Locale.ROOT) + "\"");
        return tensor;
    }

    private void check(String layer, String part, Tensor tensor, int out, int in, int kernel) {
        // As lists: the dimensions may exceed what a tensor's shape allows.
        List<Integer> shape = tensor.shape().dims(), flat = List.of(out, in), square = List.of(out, in, kernel, kernel);
        boolean fits = kernel == 1 && shape.equals(flat) || shape.equals(square);
        if (!fits || out == 0)
            throw new IllegalArgumentException(name + ": the part \"" + part + "\" of the layer " + layer
                    + ": expected " + (kernel == 1 ? flat : square) + ", found " + shape);
    }

    /** The layer's own α, or that of the file's settings for this part of the model, or the rank. */
    private double alpha(String layer, Map<LoraKeys.Part, Tensor> parts, int rank) {
        Tensor own = parts.get(LoraKeys.Part.ALPHA);
        if (own != null) {
            float[] value = own.floats();
            if (value.length != 1 || !Float.isFinite(value[0]))
                throw new IllegalArgumentException(
                        name + ": \"alpha\" of the layer " + layer + " is one finite number, got " + own.shape());
            return value[0];
        }
        String part = LoraKeys.isText(layer) ? "text_encoder." : "unet.";
        JsonNode special = settings.path(part + "alpha_pattern");
        for (Map.Entry<String, JsonNode> pattern : special.properties())
            if (layer.endsWith("." + pattern.getKey()))
                return pattern.getValue().asDouble(rank);
        return settings.path(part + "lora_alpha").asDouble(rank);
    }

    @Override
    public void close() {
        file.close();
    }
}
