package dev.gyre.diffusion;

import dev.gyre.core.Graph;
import dev.gyre.core.Shape;
import dev.gyre.diffusion.adapter.ControlNet;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.checkpoint.DiffusersKeys;
import dev.gyre.diffusion.family.ModelConfig;
import dev.gyre.diffusion.family.StableDiffusionV1;
import dev.gyre.diffusion.family.SyntheticCheckpoint;
import dev.gyre.diffusion.network.TextEncoder;
import dev.gyre.diffusion.network.UNet;
import dev.gyre.diffusion.network.Vae;
import dev.gyre.jsafetensors.SafeTensors;
import dev.gyre.jsafetensors.SafeTensorsWriter;
import dev.gyre.jsafetensors.StoredType;
import dev.gyre.nn.Weights;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;

/** The embedded model in other files. */
public final class Variants {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Variants() {}

    /** A tensor to write. */
    public record Data(StoredType dtype, long[] shape, MemorySegment bytes) {
        public static Data of(float[] values, long... shape) {
            MemorySegment bytes = MemorySegment.ofArray(new byte[4 * values.length]);
            MemorySegment.copy(values, 0, bytes, FLOAT, 0, values.length);
            return new Data(StoredType.F32, shape, bytes);
        }
    }

    public static Path write(Path path, Map<String, Data> tensors, Map<String, String> metadata) throws IOException {
        SafeTensorsWriter writer = new SafeTensorsWriter();
        metadata.forEach(writer::metadata);
        tensors.forEach((key, data) -> writer.tensor(key, data.dtype, data.shape));
        writer.write(path, (tensor, sink) -> sink.put(tensors.get(tensor.name()).bytes));
        return path;
    }

    /** The embedded model with changes. */
    public static Path embedded(Path path, BiConsumer<Map<String, Data>, SafeTensors> change) throws IOException {
        return embedded(path, Map.of(), change);
    }

    /** The embedded model with more metadata, and with changes. */
    static Path embedded(Path path, Map<String, String> metadata, BiConsumer<Map<String, Data>, SafeTensors> change)
            throws IOException {
        try (InputStream in = Checkpoint.class.getResourceAsStream("shapes.safetensors")) {
            SafeTensors source = SafeTensors.read(in, "shapes");
            Map<String, Data> all = new LinkedHashMap<>();
            for (String key : source.names()) all.put(key, data(source, key));
            change.accept(all, source);
            Map<String, String> said = new LinkedHashMap<>(source.metadata());
            said.putAll(metadata);
            return write(path, all, said);
        }
    }

    public static Data data(SafeTensors source, String key) {
        long[] shape =
                source.info(key).shape().stream().mapToLong(Long::longValue).toArray();
        return new Data(source.info(key).dtype(), shape, source.data(key));
    }

    /** With five more channels on the UNet's input, as checkpoints for inpainting have. */
    static Path inpainting(Path path) throws IOException {
        return embedded(path, (all, source) -> {
            String key = Checkpoint.UNET + ".input_blocks.0.0.weight";
            float[] first = source.floats(key);
            int out = first.length / 36;
            float[] more = new float[out * 9 * 9];
            for (int o = 0; o < out; o++) {
                System.arraycopy(first, o * 36, more, o * 81, 36);
                for (int i = 0; i < 45; i++)
                    more[o * 81 + 36 + i] = (float) (0.05 * SyntheticCheckpoint.u("inpainting", o * 45L + i));
            }
            all.put(key, Data.of(more, out, 9, 3, 3));
        });
    }

    /** A ControlNet whose weights are a hash of their names, as the references' are. */
    public static Path controlNet(Path path, UNet unet, int seed, UnaryOperator<String> rename) throws IOException {
        Graph graph = new Graph();
        Weights at = Weights.of(graph, key -> Optional.empty());
        ControlNet.build(graph, unet, at);
        Map<String, Data> all = new LinkedHashMap<>();
        for (Map.Entry<String, Shape> one : at.asked().entrySet())
            all.put(rename.apply("control_model." + one.getKey()), hashed(seed, one.getKey(), one.getValue()));
        return write(path, all, Map.of());
    }

    public static Data hashed(int seed, String key, Shape shape) {
        float[] values = new float[shape.elements()];
        boolean zero = key.startsWith("zero_convs")
                || key.startsWith("middle_block_out")
                || key.startsWith("input_hint_block.14");
        for (int i = 0; i < values.length; i++) {
            double u = SyntheticCheckpoint.u("control_model." + seed + "." + key, i);
            float v = (float)
                    (shape.rank() > 1
                            ? u * Math.sqrt(3.0 / (shape.elements() / shape.dim(0)))
                            : (key.endsWith(".weight") ? 1 : 0) + 0.1 * u);
            values[i] = zero ? v * 0.1f : v;
        }
        return Data.of(
                values, shape.dims().stream().mapToLong(Integer::longValue).toArray());
    }

    /** A model with everything in it, hardly larger than its header. */
    public static final ModelConfig TINY = StableDiffusionV1.config(
            new TextEncoder(8, 77, 8, 16, 1, 2),
            Checkpoint.TEXT + ".text_model",
            new UNet(4, 4, List.of(8, 16), 1, List.of(true, false), 8, 2, 4),
            new Vae(4, List.of(4, 4, 8, 8), 1, 4));

    static final DiffusersKeys TINY_UNET_NAMES = DiffusersKeys.unet(2, 1, level -> level == 0),
            TINY_VAE_NAMES = DiffusersKeys.vae(4, 1);

    /** Writes {@link #TINY}; returns its tensors. */
    static Map<String, Data> tiny(Path path) throws IOException {
        Checkpoint.Source nothing = new Checkpoint.Source(key -> Optional.empty(), Map.of());
        Map<String, Data> all = new LinkedHashMap<>();
        for (Weights part : TINY.ask(nothing))
            part.asked().forEach((key, shape) -> all.put(key, hashed(1, key, shape)));
        write(path, all, Map.of("norm_groups", "4", "unet_heads", "2", "text_heads", "2", "native_size", "64"));
        return all;
    }

    /** The same as diffusers keeps it, the UNet in two shards. */
    static void tinyFolder(Map<String, Data> tensors, Path root) throws IOException {
        Map<String, Map<String, Data>> parts = new TreeMap<>();
        StringBuilder index = new StringBuilder();
        int[] count = {0};
        tensors.forEach((key, data) -> {
            if (key.startsWith(Checkpoint.UNET + ".")) {
                String shard = "diffusion_pytorch_model-0000" + (1 + count[0]++ % 2) + "-of-00002.safetensors";
                String name = TINY_UNET_NAMES
                        .diffusers(key.substring(Checkpoint.UNET.length() + 1))
                        .orElseThrow();
                parts.computeIfAbsent("unet/" + shard, p -> new LinkedHashMap<>())
                        .put(name, data);
                index.append(index.isEmpty() ? "" : ", ").append("\"" + name + "\": \"" + shard + "\"");
            } else if (key.startsWith(Checkpoint.VAE + "."))
                parts.computeIfAbsent("vae/diffusion_pytorch_model.fp16.safetensors", p -> new LinkedHashMap<>())
                        .put(
                                TINY_VAE_NAMES
                                        .diffusers(key.substring(Checkpoint.VAE.length() + 1))
                                        .orElseThrow(),
                                data);
            else
                parts.computeIfAbsent("text_encoder/model.safetensors", p -> new LinkedHashMap<>())
                        .put(key.substring(Checkpoint.TEXT.length() + 1), data);
        });
        for (String part : List.of("unet", "vae", "text_encoder", "scheduler"))
            Files.createDirectories(root.resolve(part));
        for (Map.Entry<String, Map<String, Data>> part : parts.entrySet())
            write(root.resolve(part.getKey()), part.getValue(), Map.of());
        Files.writeString(
                root.resolve("unet/diffusion_pytorch_model.safetensors.index.json"),
                "{\"metadata\": {\"total_size\": 1}, \"weight_map\": {" + index + "}}");
        Files.writeString(root.resolve("unet/config.json"), "{\"attention_head_dim\": 2, \"norm_num_groups\": 4}");
        Files.writeString(root.resolve("text_encoder/config.json"), "{\"num_attention_heads\": 2}");
        Files.writeString(root.resolve("scheduler/scheduler_config.json"), "{\"prediction_type\": \"epsilon\"}");
    }

    /** A safety checker of hashed weights. */
    public static Path checker(Path path, UnaryOperator<String> rename) throws IOException {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        String vision = "vision_model.";
        shapes.put(vision + "embeddings.class_embedding", Shape.of(64));
        shapes.put(vision + "embeddings.patch_embedding.weight", Shape.of(64, 3, 14, 14));
        shapes.put(vision + "embeddings.position_embedding.weight", Shape.of(257, 64));
        for (String norm : new String[] {"pre_layrnorm", "post_layernorm"}) norm(vision + norm, shapes);
        for (int i = 0; i < 2; i++) {
            String layer = vision + "encoder.layers." + i + ".";
            for (String one : new String[] {"q_proj", "k_proj", "v_proj", "out_proj"})
                linear(layer + "self_attn." + one, 64, 64, shapes);
            norm(layer + "layer_norm1", shapes);
            norm(layer + "layer_norm2", shapes);
            linear(layer + "mlp.fc1", 128, 64, shapes);
            linear(layer + "mlp.fc2", 64, 128, shapes);
        }
        shapes.put("visual_projection.weight", Shape.of(48, 64));
        shapes.put("concept_embeds", Shape.of(17, 48));
        shapes.put("special_care_embeds", Shape.of(3, 48));
        shapes.put("concept_embeds_weights", Shape.of(17));
        shapes.put("special_care_embeds_weights", Shape.of(3));
        Map<String, Data> all = new LinkedHashMap<>();
        shapes.forEach((key, shape) -> all.put(rename.apply(key), seen(key, shape)));
        return write(path, all, Map.of());
    }

    private static void norm(String layer, Map<String, Shape> shapes) {
        shapes.put(layer + ".weight", Shape.of(64));
        shapes.put(layer + ".bias", Shape.of(64));
    }

    private static void linear(String layer, int out, int in, Map<String, Shape> shapes) {
        shapes.put(layer + ".weight", Shape.of(out, in));
        shapes.put(layer + ".bias", Shape.of(out));
    }

    private static Data seen(String key, Shape shape) {
        float[] values = new float[shape.elements()];
        for (int i = 0; i < values.length; i++) {
            double u = SyntheticCheckpoint.u(key, i);
            if (key.endsWith("embeds_weights")) values[i] = 0.15f + 0.1f * (float) u;
            else if (shape.rank() > 1) values[i] = (float) (u * Math.sqrt(3.0 / (shape.elements() / shape.dim(0))));
            else values[i] = (float) ((key.endsWith(".weight") ? 1 : 0) + 0.1 * u);
        }
        return Data.of(
                values, shape.dims().stream().mapToLong(Integer::longValue).toArray());
    }
}
