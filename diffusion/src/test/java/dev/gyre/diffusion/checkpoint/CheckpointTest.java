package dev.gyre.diffusion.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.family.ModelOptions;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.request.Request;
import dev.gyre.jsafetensors.SafeTensors;
import dev.gyre.jsafetensors.SafeTensorsWriter;
import dev.gyre.jsafetensors.StoredType;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that are like the embedded model but for one thing. */
class CheckpointTest {
    private static final Request REQUEST =
            Request.of("a red circle on a blue background").steps(1).seed(1);

    @TempDir
    Path folder;

    /** Writes the embedded model with its keys renamed; a key that becomes null is left out. */
    private Path variant(String name, UnaryOperator<String> rename) throws IOException {
        return variant(name, rename, Map.of());
    }

    private Path variant(String name, UnaryOperator<String> rename, Map<String, String> metadata) throws IOException {
        Path path = folder.resolve(name);
        try (InputStream in = Checkpoint.class.getResourceAsStream("shapes.safetensors")) {
            SafeTensors source = SafeTensors.read(in, "shapes");
            SafeTensorsWriter writer = new SafeTensorsWriter();
            Map<String, String> all = new LinkedHashMap<>(source.metadata());
            all.putAll(metadata);
            all.forEach(writer::metadata);
            Map<String, String> origins = new LinkedHashMap<>();
            for (String key : source.names()) {
                String to = rename.apply(key);
                if (to == null) continue;
                origins.put(to, key);
                writer.tensor(
                        to,
                        source.info(key).dtype(),
                        source.info(key).shape().stream()
                                .mapToLong(Long::longValue)
                                .toArray());
            }
            writer.write(path, (tensor, sink) -> sink.put(source.data(origins.get(tensor.name()))));
        }
        return path;
    }

    private static byte[] draw(Path path) throws IOException {
        try (StableDiffusion sd = StableDiffusion.load(path)) {
            return sd.generate(REQUEST).rgb();
        }
    }

    private static byte[] embedded() {
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            return sd.generate(REQUEST).rgb();
        }
    }

    @Test
    void aFileDrawsAsTheEmbeddedModelDoes() throws IOException {
        assertArrayEquals(embedded(), draw(variant("same.safetensors", key -> key)));
    }

    @Test
    void theTextEncodersNewerSpellingWorks() throws IOException {
        boolean[] renamed = {false};
        Path path = variant("newer.safetensors", key -> {
            renamed[0] |= key.contains("transformer.text_model.");
            return key.replace("transformer.text_model.", "transformer.");
        });
        assertTrue(renamed[0]);
        assertArrayEquals(embedded(), draw(path));
    }

    @Test
    void averagedWeightsAreUsedWhenAskedForAndOnlyThen() throws IOException {
        // The UNet stands under the averaged names alone: without --ema everything of it is missing.
        Path path = variant(
                "ema.safetensors",
                key -> key.startsWith(Checkpoint.UNET + ".out.")
                        ? key
                        : key.startsWith(Checkpoint.UNET) ? Checkpoint.emaKey(key) : key);
        Exception e = assertThrows(IllegalArgumentException.class, () -> StableDiffusion.load(path));
        assertTrue(e.getMessage().contains("input_blocks.0.0.weight: missing"), e.getMessage());
        Exception none = assertThrows(
                IllegalArgumentException.class,
                () -> StableDiffusion.load(Checkpoint.embedded(), new JvmBackend(1), ModelOptions.DEFAULT.ema(true)));
        assertEquals("shapes: there are no averaged (EMA) weights of the UNet in this file", none.getMessage());
    }

    @Test
    void averagedWeightsGiveTheirOwnPicture() throws IOException {
        Path path = folder.resolve("both.safetensors");
        try (InputStream in = Checkpoint.class.getResourceAsStream("shapes.safetensors")) {
            SafeTensors source = SafeTensors.read(in, "shapes");
            SafeTensorsWriter writer = new SafeTensorsWriter();
            source.metadata().forEach(writer::metadata);
            for (String key : source.names()) {
                long[] dims = source.info(key).shape().stream()
                        .mapToLong(Long::longValue)
                        .toArray();
                writer.tensor(key, source.info(key).dtype(), dims);
                if (key.startsWith(Checkpoint.UNET))
                    writer.tensor(Checkpoint.emaKey(key), source.info(key).dtype(), dims);
            }
            Map<String, String> origins = new LinkedHashMap<>();
            for (String key : source.names())
                if (key.startsWith(Checkpoint.UNET)) origins.put(Checkpoint.emaKey(key), key);
            // The last weights are zero, the averaged ones are the model's.
            writer.write(path, (tensor, sink) -> {
                String key = tensor.name();
                if (origins.containsKey(key)) sink.put(source.data(origins.get(key)));
                else if (key.startsWith(Checkpoint.UNET))
                    sink.put(MemorySegment.ofArray(new byte[(int) tensor.bytes()]));
                else sink.put(source.data(key));
            });
        }
        byte[] last = draw(path);
        try (StableDiffusion sd =
                StableDiffusion.load(Checkpoint.open(path), new JvmBackend(), ModelOptions.DEFAULT.ema(true))) {
            Picture picture = sd.generate(REQUEST);
            assertArrayEquals(embedded(), picture.rgb());
            assertTrue(picture.parameters().text().contains("EMA: true"));
        }
        assertFalse(java.util.Arrays.equals(embedded(), last));
    }

    @Test
    void allThatIsMissingIsNamedTogether() throws IOException {
        List<String> gone = List.of(
                Checkpoint.UNET + ".input_blocks.4.0.in_layers.2.weight",
                Checkpoint.UNET + ".middle_block.1.norm.bias",
                Checkpoint.VAE + ".decoder.conv_out.weight",
                Checkpoint.TEXT + ".text_model.final_layer_norm.weight");
        Path path = variant("gaps.safetensors", key -> gone.contains(key) ? null : key);
        Exception e = assertThrows(IllegalArgumentException.class, () -> StableDiffusion.load(path));
        assertTrue(e.getMessage().startsWith("gaps: 4 tensors are missing or of another shape:"), e.getMessage());
        for (String key : gone) assertTrue(e.getMessage().contains(key + ": missing, expected ["), key);
    }

    @Test
    void aMisshapenTensorIsNamedWithBothShapes() throws IOException {
        String a = Checkpoint.UNET + ".out.0.weight", b = Checkpoint.VAE + ".decoder.norm_out.weight";
        // Two tensors of other sizes under each other's names.
        Path path = variant("swapped.safetensors", key -> key.equals(a) ? b : key.equals(b) ? a : key);
        Exception e = assertThrows(IllegalArgumentException.class, () -> StableDiffusion.load(path));
        assertTrue(e.getMessage().contains(a + ": expected [32], found [24]"), e.getMessage());
        assertTrue(e.getMessage().contains(b + ": expected [24], found [32]"), e.getMessage());
    }

    @Test
    void metadataThatMakesNoSenseIsSaid() throws IOException {
        Path path = variant("meta.safetensors", key -> key, Map.of("unet_heads", "many"));
        Exception e = assertThrows(IllegalArgumentException.class, () -> StableDiffusion.load(path));
        assertEquals("meta: __metadata__ \"unet_heads\" is a positive whole number, got \"many\"", e.getMessage());
    }

    @Test
    void otherFilesAreNoCheckpoint() throws IOException {
        Path other = folder.resolve("lora.safetensors");
        new SafeTensorsWriter()
                .tensor("lora_down.weight", StoredType.F32, 1)
                .write(other, (tensor, sink) -> sink.put(MemorySegment.ofArray(new float[1])));
        Exception e = assertThrows(IllegalArgumentException.class, () -> StableDiffusion.load(other));
        assertTrue(e.getMessage().startsWith("lora: not a Stable Diffusion v1 checkpoint"), e.getMessage());

        Path pickle = Files.write(folder.resolve("model.ckpt"), new byte[10]);
        Exception refused = assertThrows(IOException.class, () -> StableDiffusion.load(pickle));
        assertTrue(refused.getMessage().contains("a PyTorch pickle can run code of its own"), refused.getMessage());
    }
}
