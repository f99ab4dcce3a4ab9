package dev.gyre.diffusion.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.References;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.Variants;
import dev.gyre.diffusion.request.Request;
import dev.gyre.jsafetensors.SafeTensors;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The embedded model as diffusers keeps models, by the names that diffusers' own conversion gives. */
class DiffusersFolderTest {
    private static final Request REQUEST =
            Request.of("a red circle on a blue background").steps(1).guidance(5).seed(1);

    @TempDir
    Path folder;

    /** diffusers' keys by the original's, of one part. */
    private static Map<String, String> names(String part) throws IOException {
        Map<String, String> names = new LinkedHashMap<>();
        try (BufferedReader in = new BufferedReader(new InputStreamReader(
                References.class.getResourceAsStream("diffusers-keys.tsv"), StandardCharsets.UTF_8))) {
            in.lines()
                    .map(line -> line.split("\t"))
                    .filter(l -> l[0].equals(part))
                    .forEach(l -> names.put(l[2], l[1]));
        }
        return names;
    }

    private static Map<String, Variants.Data> part(SafeTensors source, String part, boolean old) throws IOException {
        Map<String, Variants.Data> all = new LinkedHashMap<>();
        names(part).forEach((original, key) -> {
            Variants.Data data = Variants.data(source, original);
            if (part.equals("vae") && key.contains("attentions") && data.shape().length == 4)
                data = new Variants.Data(data.dtype(), Arrays.copyOf(data.shape(), 2), data.bytes());
            if (old)
                key = key.replace("to_q", "query")
                        .replace("to_k", "key")
                        .replace("to_v", "value")
                        .replace("to_out.0", "proj_attn");
            all.put(key, data);
        });
        return all;
    }

    private void writeFolder(boolean old) throws IOException {
        try (InputStream in = Checkpoint.class.getResourceAsStream("shapes.safetensors")) {
            SafeTensors source = SafeTensors.read(in, "shapes");
            for (String part : List.of("unet", "vae", "text_encoder", "scheduler"))
                Files.createDirectories(folder.resolve(part));
            Files.writeString(
                    folder.resolve("unet/config.json"), "{\"attention_head_dim\": 4, \"norm_num_groups\": 8}");
            Files.writeString(folder.resolve("text_encoder/config.json"), "{\"num_attention_heads\": 2}");
            Files.writeString(folder.resolve("scheduler/scheduler_config.json"), "{\"prediction_type\": \"epsilon\"}");
            // The UNet in two shards.
            List<Map.Entry<String, Variants.Data>> unet =
                    new ArrayList<>(part(source, "unet", false).entrySet());
            StringBuilder index = new StringBuilder("{\"metadata\": {}, \"weight_map\": {");
            for (int shard = 0; shard < 2; shard++) {
                String name = "diffusion_pytorch_model-0000" + (shard + 1) + "-of-00002.safetensors";
                Map<String, Variants.Data> some = new LinkedHashMap<>();
                for (int i = shard; i < unet.size(); i += 2) {
                    some.put(unet.get(i).getKey(), unet.get(i).getValue());
                    index.append(i == 0 ? "" : ", ")
                            .append('"')
                            .append(unet.get(i).getKey())
                            .append("\": \"")
                            .append(name)
                            .append('"');
                }
                Variants.write(folder.resolve("unet/" + name), some, Map.of());
            }
            Files.writeString(
                    folder.resolve("unet/diffusion_pytorch_model.safetensors.index.json"), index.append("}}"));
            Variants.write(
                    folder.resolve("vae/diffusion_pytorch_model.fp16.safetensors"), part(source, "vae", old), Map.of());
            Map<String, Variants.Data> text = new LinkedHashMap<>();
            for (String key : source.names())
                if (key.startsWith(Checkpoint.TEXT + "."))
                    text.put(key.substring(Checkpoint.TEXT.length() + 1), Variants.data(source, key));
            Variants.write(folder.resolve("text_encoder/model.safetensors"), text, Map.of());
        }
    }

    private static byte[] embedded() {
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            return sd.generate(REQUEST).rgb();
        }
    }

    private byte[] drawn() throws IOException {
        try (StableDiffusion sd = StableDiffusion.load(folder)) {
            return sd.generate(REQUEST.size(128, 128)).rgb();
        }
    }

    @Test
    void aFolderDrawsAsTheFileDoes() throws IOException {
        writeFolder(false);
        assertArrayEquals(embedded(), drawn());
        writeFolder(true);
        assertArrayEquals(embedded(), drawn());
    }

    @Test
    void aSecondTextEncoderHasANumber() throws IOException {
        writeFolder(false);
        Path second = Files.createDirectories(folder.resolve("text_encoder_2"));
        Files.copy(folder.resolve("text_encoder/model.safetensors"), second.resolve("model.safetensors"));
        Files.writeString(second.resolve("config.json"), "{\"num_attention_heads\": 20}");
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertEquals("2", checkpoint.metadata().get("text_heads"));
            assertEquals("20", checkpoint.metadata().get("text_heads_2"));
            String table = ".transformer.text_model.embeddings.token_embedding.weight";
            assertTrue(checkpoint.has("cond_stage_model" + table) && checkpoint.has("cond_stage_model_2" + table));
        }
    }

    @Test
    void everyNameGoesBothWays() throws IOException {
        DiffusersKeys unet = DiffusersKeys.unet(4, 2, level -> level < 3), vae = DiffusersKeys.vae(4, 2);
        for (Map.Entry<String, String> name : names("unet").entrySet()) {
            String original = name.getKey().substring(Checkpoint.UNET.length() + 1);
            assertEquals(original, unet.original(name.getValue()).orElseThrow());
            assertEquals(name.getValue(), unet.diffusers(original).orElseThrow());
        }
        for (Map.Entry<String, String> name : names("vae").entrySet()) {
            String original = name.getKey().substring(Checkpoint.VAE.length() + 1);
            assertEquals(original, vae.original(name.getValue()).orElseThrow());
            assertEquals(name.getValue(), vae.diffusers(original).orElseThrow());
        }
    }

    @Test
    void aVaeFromElsewhere() throws IOException {
        Path whole = Variants.embedded(folder.resolve("darker.safetensors"), (all, source) -> {
            String key = Checkpoint.VAE + ".decoder.conv_out.bias";
            all.put(key, Variants.Data.of(new float[] {-0.5f, -0.5f, -0.5f}, 3));
        });
        Map<String, Variants.Data> bare = new LinkedHashMap<>();
        try (SafeTensors source = SafeTensors.open(whole)) {
            for (String key : source.names())
                if (key.startsWith(Checkpoint.VAE + "."))
                    bare.put(key.substring(Checkpoint.VAE.length() + 1), Variants.data(source, key));
            Variants.write(folder.resolve("bare.safetensors"), bare, Map.of());
        }
        byte[] darker;
        try (StableDiffusion sd = StableDiffusion.load(whole)) {
            darker = sd.generate(REQUEST).rgb();
        }
        assertFalse(Arrays.equals(embedded(), darker));
        writeFolder(true);
        for (Path path : List.of(whole, folder.resolve("bare.safetensors"))) assertArrayEquals(darker, withVae(path));
        for (Path path :
                List.of(folder, folder.resolve("vae"), folder.resolve("vae/diffusion_pytorch_model.fp16.safetensors")))
            assertArrayEquals(embedded(), withVae(path));
        Exception none = assertThrows(
                IllegalArgumentException.class, () -> withVae(References.copy("lora-kohya.safetensors", folder)));
        assertTrue(none.getMessage().contains("no VAE: expected tensors"), none.getMessage());
    }

    private static byte[] withVae(Path path) throws IOException {
        try (StableDiffusion sd = StableDiffusion.load(Checkpoint.embedded().vae(path), new JvmBackend())) {
            return sd.generate(REQUEST).rgb();
        }
    }

    @Test
    void whatAFolderLacksIsSaid() throws IOException {
        Path empty = Files.createDirectories(folder.resolve("empty"));
        assertEquals(
                empty + ": expected a diffusers folder; it has no folder \"unet\"",
                assertThrows(IOException.class, () -> Checkpoint.open(empty)).getMessage());
        writeFolder(false);
        Files.writeString(folder.resolve("scheduler/scheduler_config.json"), "{\"prediction_type\"");
        assertTrue(assertThrows(IOException.class, () -> Checkpoint.open(folder))
                .getMessage()
                .contains("invalid JSON"));
        Files.delete(folder.resolve("scheduler/scheduler_config.json"));
        Files.writeString(folder.resolve("unet/config.json"), "{\"attention_head_dim\": [8, 4]}");
        assertTrue(assertThrows(IllegalArgumentException.class, () -> StableDiffusion.load(folder))
                .getMessage()
                .contains("\"unet_heads\" is a positive whole number, got \"[8,4]\""));
        Files.writeString(folder.resolve("unet/config.json"), "{}");
        Files.delete(folder.resolve("vae/diffusion_pytorch_model.fp16.safetensors"));
        assertTrue(assertThrows(IOException.class, () -> Checkpoint.open(folder))
                .getMessage()
                .contains("no weights; looked for diffusion_pytorch_model.safetensors"));
        Files.write(folder.resolve("vae/diffusion_pytorch_model.bin"), new byte[9]);
        assertTrue(assertThrows(IOException.class, () -> Checkpoint.open(folder))
                .getMessage()
                .contains("a PyTorch pickle can run code of its own"));
    }
}
