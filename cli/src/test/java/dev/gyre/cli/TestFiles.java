package dev.gyre.cli;

import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.family.SyntheticCheckpoint;
import dev.gyre.jsafetensors.SafeTensors;
import dev.gyre.jsafetensors.SafeTensorsWriter;
import dev.gyre.jsafetensors.StoredType;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiFunction;
import javax.imageio.ImageIO;

/** Small files of every kind that pictures are made with, for the embedded model, in a folder. */
record TestFiles(Path folder) {
    private static final Path RESOURCES = Path.of("../diffusion/src/test/resources/dev/gyre/diffusion");
    private static final String UNET = "model.diffusion_model.";

    private record Data(StoredType dtype, long[] shape, MemorySegment bytes) {}

    static TestFiles in(Path folder) throws IOException {
        TestFiles all = new TestFiles(folder);
        for (String name : new String[] {"lora-kohya", "lora-peft", "wobbly"})
            Files.copy(
                    RESOURCES.resolve(name + ".safetensors"),
                    Files.createDirectories(folder.resolve("weights")).resolve(name + ".safetensors"));
        Files.copy(RESOURCES.resolve("circle.png"), folder.resolve("circle.png"));
        all.mask();
        all.model("averaged", (key, data) -> data, true);
        all.model(
                "brighter",
                (key, data) -> key.equals("first_stage_model.decoder.conv_out.bias") ? constant(0.3, 3) : data,
                false);
        all.control();
        all.checker();
        return all;
    }

    /** White on the right. */
    private void mask() throws IOException {
        BufferedImage mask = new BufferedImage(128, 128, BufferedImage.TYPE_BYTE_GRAY);
        Graphics2D pen = mask.createGraphics();
        pen.setColor(Color.WHITE);
        pen.fillRect(72, 24, 40, 88);
        pen.dispose();
        ImageIO.write(mask, "png", folder.resolve("mask.png").toFile());
    }

    private void model(String name, BiFunction<String, Data, Data> change, boolean averaged) throws IOException {
        try (InputStream in = Checkpoint.class.getResourceAsStream("shapes.safetensors")) {
            SafeTensors source = SafeTensors.read(in, "shapes");
            Map<String, Data> all = new LinkedHashMap<>();
            for (String key : source.names()) {
                Data data = change.apply(key, data(source, key));
                all.put(key, data);
                boolean unet = key.startsWith(UNET);
                if (averaged && unet)
                    all.put(Checkpoint.emaKey(key), key.endsWith("out.2.bias") ? constant(0.02, 4) : data);
            }
            write(name, all, source.metadata());
        }
    }

    /** The UNet's own first half, as ControlNets begin, with the convolutions that tie it in not at zero. */
    private void control() throws IOException {
        try (InputStream in = Checkpoint.class.getResourceAsStream("shapes.safetensors")) {
            SafeTensors source = SafeTensors.read(in, "shapes");
            Map<String, Data> all = new LinkedHashMap<>();
            for (String key : source.names())
                if (key.matches("model\\.diffusion_model\\.(input_blocks|middle_block|time_embed)\\..*"))
                    all.put("control_model." + key.substring(UNET.length()), data(source, key));
            int[] hint = {3, 16, 16, 32, 32, 96, 96, 256};
            for (int i = 0; i < 7; i++) layer("input_hint_block." + 2 * i, hint[i + 1], hint[i], 3, all);
            layer("input_hint_block.14", 32, 256, 3, all);
            int[] widths = {32, 32, 32, 32, 64, 64, 64, 96, 96, 96, 96, 96};
            for (int i = 0; i < widths.length; i++) layer("zero_convs." + i + ".0", widths[i], widths[i], 1, all);
            layer("middle_block_out.0", 96, 96, 1, all);
            write("weights/control", all, Map.of());
        }
    }

    private static void layer(String key, int out, int in, int kernel, Map<String, Data> all) {
        double scale = Math.sqrt(0.3 / (in * kernel * kernel));
        all.put("control_model." + key + ".weight", hashed(key, scale, out, in, kernel, kernel));
        all.put("control_model." + key + ".bias", constant(0.01, out));
    }

    /** Sees every picture as unsafe: each concept's threshold is far below what any can be at. */
    private void checker() throws IOException {
        Map<String, Data> all = new LinkedHashMap<>();
        String vision = "vision_model.";
        all.put(vision + "embeddings.class_embedding", hashed("class", 0.1, 64));
        all.put(vision + "embeddings.patch_embedding.weight", hashed("patch", 0.05, 64, 3, 14, 14));
        all.put(vision + "embeddings.position_embedding.weight", hashed("position", 0.1, 5, 64));
        String layer = vision + "encoder.layers.0.";
        for (String norm : new String[] {
            vision + "pre_layrnorm", vision + "post_layernorm", layer + "layer_norm1", layer + "layer_norm2"
        }) {
            all.put(norm + ".weight", constant(1, 64));
            all.put(norm + ".bias", constant(0, 64));
        }
        for (String one : new String[] {"q_proj", "k_proj", "v_proj", "out_proj"}) {
            all.put(layer + "self_attn." + one + ".weight", hashed(one, 0.1, 64, 64));
            all.put(layer + "self_attn." + one + ".bias", constant(0, 64));
        }
        for (String one : new String[] {"fc1", "fc2"}) {
            all.put(layer + "mlp." + one + ".weight", hashed(one, 0.1, 64, 64));
            all.put(layer + "mlp." + one + ".bias", constant(0, 64));
        }
        all.put("visual_projection.weight", hashed("projection", 0.1, 16, 64));
        for (String table : new String[] {"concept_embeds", "special_care_embeds"}) {
            all.put(table, hashed(table, 1, 2, 16));
            all.put(table + "_weights", constant(-2, 2));
        }
        write("weights/prude", all, Map.of());
    }

    private static Data hashed(String key, double scale, long... shape) {
        int n = 1;
        for (long d : shape) n *= (int) d;
        ByteBuffer bytes = ByteBuffer.allocate(4 * n).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < n; i++) bytes.putFloat((float) (scale * SyntheticCheckpoint.u(key, i)));
        return new Data(StoredType.F32, shape, MemorySegment.ofArray(bytes.array()));
    }

    private static Data constant(double value, int n) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * n).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < n; i++) bytes.putFloat((float) value);
        return new Data(StoredType.F32, new long[] {n}, MemorySegment.ofArray(bytes.array()));
    }

    private static Data data(SafeTensors source, String key) {
        long[] shape =
                source.info(key).shape().stream().mapToLong(Long::longValue).toArray();
        return new Data(source.info(key).dtype(), shape, source.data(key));
    }

    private void write(String name, Map<String, Data> all, Map<String, String> metadata) throws IOException {
        SafeTensorsWriter writer = new SafeTensorsWriter();
        metadata.forEach(writer::metadata);
        all.forEach((key, data) -> writer.tensor(key, data.dtype, data.shape));
        writer.write(folder.resolve(name + ".safetensors"), (tensor, sink) -> sink.put(all.get(tensor.name()).bytes));
    }
}
