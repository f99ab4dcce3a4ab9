package dev.gyre.diffusion.metadata;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.References;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.adapter.CheckpointMerge;
import dev.gyre.diffusion.adapter.Lora;
import dev.gyre.diffusion.adapter.ScaledLora;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.file.FileId;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.prompt.LoraTags;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.settings.SettingValues;
import dev.gyre.diffusion.settings.Settings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files that a picture was made of: written, read back, found; adapters that are merged. */
class SourcesTest {
    @TempDir
    private static Path folder;

    @Test
    void comesBackFromAPicturesText() {
        FileId odd = new FileId("a \"b\", c: [d]/e, 1.safetensors", "0123456789"),
                image = new FileId("x.png", "abcdef0123");
        Sources recipe = new Sources(
                Optional.of(new Sources.Begun(
                        image,
                        Optional.of(odd),
                        SettingValues.NONE
                                .with(Settings.STRENGTH, "0.4")
                                .with(Settings.OUTPAINT, "0,0,64,0")
                                .with(Settings.MASK_BLUR, "2.5")
                                .with(Settings.MASK_PADDING, "16"))),
                List.of(new Sources.Adapter(odd, -0.5), new Sources.Adapter(image, 1)),
                List.of(new Sources.Control(odd, image, 0.8, new Request.StepRange(0.25, 1))),
                List.of(image, odd),
                Optional.of(odd),
                Optional.of(image));
        Map<String, String> entries = new LinkedHashMap<>();
        SourcesText.write(recipe, entries);
        String text = ParametersText.write("a cat", "", entries);
        Parameters read = Parameters.parse(text.replaceFirst("\n", "\nSteps: 1, "));
        assertEquals(recipe, read.recipe());
        assertEquals(Map.of(), read.others());
    }

    @Test
    void whatTheWebUiSaysOfLoras() throws IOException {
        Path file = References.copy("lora-peft.safetensors", folder);
        byte[] all = Files.readAllBytes(file);
        long header = 8
                + java.nio.ByteBuffer.wrap(all)
                        .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                        .getLong();
        String hash = HexFormat.of().formatHex(sha256(java.util.Arrays.copyOfRange(all, (int) header, all.length)));
        Parameters read = Parameters.parse("a <lora:lora-peft:0.6> cat\nSteps: 1, Seed: 1, Lora hashes: \"lora-peft: "
                + hash.substring(0, 12) + "\"");
        assertEquals(1, read.recipe().loras().size());
        Sources.Adapter one = read.recipe().loras().get(0);
        assertEquals(0.6, one.strength());
        assertEquals("lora-peft.safetensors", one.lora().path());
        assertTrue(one.lora().is(file));
        assertTrue(FileId.of(file).is(file));
        assertFalse(new FileId("lora-peft.safetensors", "0000000000").is(file));
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void tagsAreTakenOutOfAPrompt() {
        LoraTags tags = LoraTags.of("a <lora:x> cat <lora:y:0.5>, <lora:x:-0.25> <b>");
        assertEquals("a  cat ,  <b>", tags.prompt());
        assertEquals(Map.of("x", 0.75, "y", 0.5), tags.strengths());
        assertThrows(IllegalArgumentException.class, () -> LoraTags.of("<lora:x:1:2>"));
        assertThrows(IllegalArgumentException.class, () -> LoraTags.of("<lora:x:NaN>"));
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            Exception e = assertThrows(
                    IllegalArgumentException.class,
                    () -> sd.generate(Request.of("a cat <lora:x:1>").steps(1)));
            assertEquals("prompt: the LoRA \"x\" is not loaded", e.getMessage());
        }
    }

    /** PEFT's own sum of a layer and its adapter is the reference. */
    @Test
    void mergedWeightsPredictWhatAdaptersDo() throws IOException {
        References golden = References.of("pictures.safetensors");
        Path merged = folder.resolve("merged.safetensors"),
                copy = References.copy("lora-kohya.safetensors", Files.createTempDirectory(folder, "m"));
        try (Lora lora = Lora.open(copy);
                Checkpoint model = Checkpoint.embedded()) {
            CheckpointMerge.write(
                    model,
                    List.of(new ScaledLora(lora, 0.7)),
                    false,
                    Optional.of(dev.gyre.jsafetensors.StoredType.F32),
                    merged);
            assertThrows(
                    IllegalArgumentException.class,
                    () -> CheckpointMerge.write(
                            model, List.of(), false, Optional.of(dev.gyre.jsafetensors.StoredType.I64), merged));
        }
        try (StableDiffusion sd = StableDiffusion.load(Checkpoint.open(merged), new JvmBackend(2))) {
            float[] states = sd.encodeText(List.of("", "a red circle on a blue background"), Progress.NONE);
            golden.check("lora.kohya.text", states);
            float[] x = References.of("golden.safetensors").file().floats("unet.x");
            golden.check("lora.kohya.eps", sd.predict(x, new float[] {981, 21}, states, 16, 16));
            assertEquals("lora-kohya:0.7", sd.checkpoint().metadata().get("merged"));
        }
    }

    @Test
    void ofAnAbsolutePathTheNameAloneIsTold() throws IOException {
        Path file = Files.writeString(folder.resolve("x.txt"), "x", StandardCharsets.UTF_8);
        assertEquals("x.txt", FileId.of(file.toAbsolutePath()).path());
    }
}
