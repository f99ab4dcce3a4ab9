package dev.gyre.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.adapter.Lora;
import dev.gyre.diffusion.adapter.ScaledLora;
import dev.gyre.diffusion.adapter.TextualInversion;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.checkpoint.QuantizedWeights;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.request.Conditions;
import dev.gyre.diffusion.request.Request;
import dev.gyre.jsafetensors.SafeTensors;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** LoRA, LoCon and textual inversion against diffusers and PEFT; what is no such file is refused. */
class AdaptersTest {
    private static final References GOLDEN = References.of("pictures.safetensors");
    private static final Request REQUEST =
            Request.of("a red circle on a blue background").steps(2).seed(1);

    private static StableDiffusion sd;
    private static Lora kohya;
    private static Lora peft;

    @TempDir
    private static Path folder;

    @BeforeAll
    static void load() throws IOException {
        sd = StableDiffusion.embedded();
        kohya = Lora.open(References.copy("lora-kohya.safetensors", folder));
        peft = Lora.open(References.copy("lora-peft.safetensors", folder));
    }

    @AfterAll
    static void close() {
        sd.close();
        kohya.close();
        peft.close();
    }

    private static void check(String name, ScaledLora... adapters) throws IOException {
        sd.use(List.of(adapters));
        try {
            float[] states = sd.encodeText(List.of("", REQUEST.text().prompt()), Progress.NONE);
            GOLDEN.check("lora." + name + ".text", states);
            float[] x = References.of("golden.safetensors").file().floats("unet.x");
            GOLDEN.check("lora." + name + ".eps", sd.predict(x, new float[] {981, 21}, states, 16, 16));
        } finally {
            sd.use(List.of());
        }
    }

    @Test
    void kohyasNamesWithConvolutions() throws IOException {
        check("kohya", new ScaledLora(kohya, 0.7));
    }

    @Test
    void diffusersNamesWithSettings() throws IOException {
        check("peft", new ScaledLora(peft, 1));
    }

    @Test
    void severalAtOnce() throws IOException {
        check("both", new ScaledLora(kohya, -0.5), new ScaledLora(peft, 1.25));
    }

    @Test
    void withoutThemThePictureIsTheSameAsBefore() throws IOException {
        byte[] before = sd.generate(REQUEST).rgb();
        Lora other = Lora.open(References.copy("lora-kohya.safetensors", Files.createTempDirectory(folder, "other")));
        byte[] with = sd.generate(REQUEST.with(Conditions.PLAIN.lora(other, 1))).rgb();
        assertFalse(Arrays.equals(before, with));
        assertArrayEquals(
                before,
                sd.generate(REQUEST.with(Conditions.PLAIN.lora(other, 0))).rgb());
        sd.unload(other);
        assertArrayEquals(before, sd.generate(REQUEST).rgb());
        assertArrayEquals(
                with, sd.generate(REQUEST.with(Conditions.PLAIN.lora(kohya, 1))).rgb());
    }

    @Test
    void onQuantisedWeightsToo() throws IOException {
        float[] x = References.of("golden.safetensors").file().floats("unet.x");
        float[] text = sd.encodeText(List.of("", REQUEST.text().prompt()), Progress.NONE);
        Function<StableDiffusion, float[]> predict = model -> model.predict(x, new float[] {981, 21}, text, 16, 16);
        float[] plain = predict.apply(sd);
        sd.use(List.of(new ScaledLora(kohya, 0.7)));
        float[] with = predict.apply(sd);
        sd.use(List.of());
        try (StableDiffusion small = StableDiffusion.load(Checkpoint.embedded(), new JvmBackend(2))) {
            QuantizedWeights quantized = small.quantize();
            assertTrue(quantized.error() > 1e-4 && quantized.error() < 0.01, quantized.toString());
            assertTrue(quantized.bytes() < 7 << 20, quantized.toString());
            assertTrue(quantized.toString().startsWith("weights in 8 bits (Q8_0): "), quantized.toString());
            double error = rms(plain, predict.apply(small)) / rms(plain, new float[plain.length]);
            assertTrue(error > 1e-3 && error < 0.08, "relative error of the prediction " + error);
            small.use(List.of(new ScaledLora(kohya, 0.7)));
            float[] both = predict.apply(small);
            // What the adapter changes, it changes there, too.
            assertTrue(rms(both, with) < 0.5 * rms(plain, with), rms(both, with) + " of " + rms(plain, with));
        }
    }

    private static double rms(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) sum += Math.pow(a[i] - b[i], 2);
        return Math.sqrt(sum / a.length);
    }

    /** The file with its keys renamed. */
    private static Path variant(String name, UnaryOperator<String> rename) throws IOException {
        Map<String, Variants.Data> all = new LinkedHashMap<>();
        try (InputStream in = References.class.getResourceAsStream("lora-kohya.safetensors")) {
            SafeTensors source = SafeTensors.read(in, name);
            for (String key : source.names()) {
                String to = rename.apply(key);
                if (to != null) all.put(to, Variants.data(source, key));
            }
            return Variants.write(folder.resolve(name), all, Map.of());
        }
    }

    private static String refused(Path file) {
        Exception e = assertThrows(IllegalArgumentException.class, () -> {
            try (Lora lora = Lora.open(file)) {
                sd.generate(REQUEST.with(Conditions.PLAIN.lora(lora, 1)));
            }
        });
        return e.getMessage();
    }

    @Test
    void whatDoesNotFitIsNamed() throws IOException {
        assertTrue(refused(variant("layer.safetensors", key -> key.replace("up_blocks_3", "up_blocks_7")))
                .startsWith("layer: the layer lora_unet_up_blocks_7_"));
        assertEquals(
                "half: the layer lora_te_text_model_encoder_layers_0_self_attn_q_proj lacks its part \"up\"",
                refused(variant(
                        "half.safetensors", key -> key.contains("layers_0_self_attn_q_proj.lora_up") ? null : key)));
        String swapped = refused(variant(
                "swapped.safetensors",
                key -> key.contains("proj_in")
                        ? key.contains("lora_down")
                                ? key.replace("lora_down", "lora_up")
                                : key.replace("lora_up", "lora_down")
                        : key));
        assertTrue(
                swapped.matches("swapped: the part \"down\" of the layer lora_unet_.*: expected \\[96, 96\\], found"
                        + " \\[96, 2, 1, 1\\]"),
                swapped);
        assertTrue(refused(variant("loha.safetensors", key -> key.replace("lora_down.weight", "hada_w1_a")))
                .startsWith("loha: an adapter of the kind LoHa ("));
        assertTrue(refused(variant("unknown.safetensors", key -> key.endsWith(".alpha") ? key : key + ".more"))
                .startsWith("unknown: not a LoRA: expected keys that end in"));
    }

    @Test
    void aLearnedWord() throws IOException {
        TextualInversion word = TextualInversion.open(References.copy("wobbly.safetensors", folder))
                .get(0);
        assertEquals("wobbly", word.name());
        assertEquals(2, word.tokens());
        try (StableDiffusion knowing = StableDiffusion.embedded()) {
            byte[] before = knowing.generate(
                            Request.of("a Wobbly circle").steps(1).seed(1))
                    .rgb();
            knowing.add(new TextualInversion("wug", word.vectors(), word.width()));
            for (String text : List.of("a wug on a blue background", "a WUG on a blue background"))
                GOLDEN.check("inversion.text", knowing.encodeText(List.of(text), Progress.NONE));
            TextualInversion named = TextualInversion.open(References.copy("wobbly-diffusers.safetensors", folder))
                    .get(0);
            assertEquals("<wobbly>", named.name());
            knowing.add(named);
            GOLDEN.check(
                    "inversion.text", knowing.encodeText(List.of("a <wobbly> on a blue background"), Progress.NONE));
            // It is another word as long as nobody has learned it.
            assertArrayEquals(
                    before,
                    knowing.generate(Request.of("a Wobbly circle").steps(1).seed(1))
                            .rgb());
            Exception twice = assertThrows(IllegalArgumentException.class, () -> knowing.add(named));
            assertEquals("the word \"<wobbly>\" is known already", twice.getMessage());
            Exception wide = assertThrows(
                    IllegalArgumentException.class,
                    () -> knowing.add(new TextualInversion("sd2", new float[1024], 1024)));
            assertEquals(
                    "the word \"sd2\" was trained for a text encoder of width 1024; that of shapes has 64",
                    wide.getMessage());
        }
    }

    @Test
    void wordsBundledWithOtherFilesAndWhatIsNone() throws IOException {
        Map<String, Variants.Data> all = new LinkedHashMap<>();
        all.put("bundle_emb.one.string_to_param.*", Variants.Data.of(new float[128], 2, 64));
        all.put("bundle_emb.two.clip_l", Variants.Data.of(new float[64], 1, 64));
        all.put("lora_te_text_model_encoder_layers_0_mlp_fc1.lora_up.weight", Variants.Data.of(new float[256], 256, 1));
        all.put("lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight", Variants.Data.of(new float[64], 1, 64));
        Path path = Variants.write(folder.resolve("bundle.safetensors"), all, Map.of());
        List<TextualInversion> found = TextualInversion.open(path);
        assertEquals(
                List.of("one", "two"),
                found.stream().map(TextualInversion::name).toList());
        try (Lora lora = Lora.open(path)) {
            assertEquals(1, lora.size());
            assertEquals(2, lora.words().size());
        }
        Exception none = assertThrows(
                IllegalArgumentException.class, () -> TextualInversion.open(folder.resolve("lora-kohya.safetensors")));
        assertTrue(none.getMessage().contains("no textual inversion"), none.getMessage());
        Path pickle = Files.write(folder.resolve("word.pt"), new byte[] {'P', 'K', 3, 4, 0, 0, 0, 0, 0, 0});
        assertTrue(assertThrows(IOException.class, () -> TextualInversion.open(pickle))
                .getMessage()
                .contains("a PyTorch pickle can run code of its own and is not read"));
    }
}
