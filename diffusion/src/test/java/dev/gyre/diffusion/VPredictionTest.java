package dev.gyre.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.adapter.CheckpointMerge;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.family.ModelConfig;
import dev.gyre.diffusion.family.ModelOptions;
import dev.gyre.diffusion.metadata.Parameters;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Ddim;
import dev.gyre.diffusion.sampler.Prediction;
import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.diffusion.sampler.Spacing;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Checkpoints whose UNet predicts v, on schedules with and without zero terminal SNR: how they are recognised, and what is sampled. */
class VPredictionTest {
    private static final References GOLDEN = References.of("v-prediction.safetensors");

    @TempDir
    private static Path folder;

    private static StableDiffusion plain;
    private static StableDiffusion zeroSnr;

    @BeforeAll
    static void load() throws IOException {
        plain = StableDiffusion.load(file("plain", Map.of(), "v_pred"));
        zeroSnr = StableDiffusion.load(file("zero", Map.of(), "v_pred", "ztsnr"));
    }

    @AfterAll
    static void close() {
        plain.close();
        zeroSnr.close();
    }

    /** The embedded model with more metadata, and with empty tensors of these names. */
    private static Path file(String name, Map<String, String> metadata, String... markers) throws IOException {
        return Variants.embedded(folder.resolve(name + ".safetensors"), metadata, (all, source) -> {
            for (String marker : markers) all.put(marker, Variants.Data.of(new float[0], 0));
        });
    }

    static Stream<String> names() {
        return GOLDEN.file().names().stream();
    }

    /** Ten steps of every sampler against diffusers in float64. */
    @ParameterizedTest
    @MethodSource("names")
    void finalLatents(String name) {
        String[] parts = name.split("\\|", -1);
        Request request = Request.of(GOLDEN.file().metadata().get("prompt"))
                .sampler(Sampler.named(parts[0]))
                .steps(10)
                .guidance(5)
                .seed(42);
        StableDiffusion sd = parts[1].equals("ztsnr") ? zeroSnr : plain;
        GOLDEN.check(name, InitImageTest.latents(sd, request));
    }

    /** What a checkpoint says that names its prediction in metadata, or not, and has these markers; and what the user says. */
    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "-, -, -, -, EPSILON, false",
                "-, -, v_pred, -, V, false",
                "-, -, v_pred ztsnr, -, V, true",
                "v, -, -, -, V, false",
                "v_prediction, -, -, -, V, false",
                "epsilon, -, -, -, EPSILON, false",
                "v, True, -, -, V, true",
                // The metadata goes before a marker, and the user before both.
                "epsilon, -, v_pred, -, EPSILON, false",
                "v, False, ztsnr, -, V, false",
                "epsilon, -, -, V, V, false",
                "v, -, v_pred, EPSILON, EPSILON, false",
                "sample, -, -, V, V, false"
            })
    void whatIsSaidInSeveralWays(
            String type, String zero, String markers, Prediction wanted, Prediction prediction, boolean zeroTerminalSnr)
            throws IOException {
        Map<String, String> metadata = new TreeMap<>();
        if (type != null) metadata.put("modelspec.prediction_type", type);
        if (zero != null) metadata.put("ss_zero_terminal_snr", zero);
        Path path = file("said", metadata, markers == null ? new String[0] : markers.split(" "));
        ModelOptions options = new ModelOptions(false, Optional.ofNullable(wanted), Optional.empty());
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            ModelConfig config = ModelConfig.of(checkpoint, options);
            assertEquals(prediction, config.prediction());
            assertEquals(zeroTerminalSnr, config.noise().isZeroTerminalSnr());
        }
    }

    @Test
    void aFolderOfDiffusersSaysItInItsScheduler() throws IOException {
        Map<String, Variants.Data> tensors = Variants.tiny(folder.resolve("tiny.safetensors"));
        Path root = folder.resolve("folder"), scheduler = root.resolve("scheduler/scheduler_config.json");
        Variants.tinyFolder(tensors, root);
        assertEquals(Prediction.EPSILON, config(root).prediction());
        Files.writeString(
                scheduler,
                "{\"prediction_type\": \"v_prediction\", \"rescale_betas_zero_snr\": true,"
                        + " \"timestep_spacing\": \"trailing\"}");
        ModelConfig zero = config(root);
        assertEquals(Prediction.V, zero.prediction());
        assertTrue(zero.noise().isZeroTerminalSnr());
        assertEquals(new Ddim(0).on(Spacing.TRAILING), zero.defaults().fitted(new Ddim(0)));
        Files.writeString(scheduler, "{\"prediction_type\": \"v_prediction\", \"rescale_betas_zero_snr\": false}");
        ModelConfig plain = config(root);
        assertEquals(Prediction.V, plain.prediction());
        assertFalse(plain.noise().isZeroTerminalSnr());
        assertEquals(new Ddim(0), plain.defaults().fitted(new Ddim(0)));
        Files.writeString(scheduler, "{\"prediction_type\": \"sample\"}");
        assertEquals(
                "folder: unknown prediction type \"sample\"; there are epsilon, v",
                assertThrows(IllegalArgumentException.class, () -> config(root)).getMessage());
    }

    private static ModelConfig config(Path path) throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            return ModelConfig.of(checkpoint);
        }
    }

    @Test
    void whatMakesNoSenseIsSaid() throws IOException {
        Path unknown = file("unknown", Map.of("modelspec.prediction_type", "sample"));
        assertEquals(
                "unknown: unknown prediction type \"sample\"; there are epsilon, v",
                assertThrows(IllegalArgumentException.class, () -> StableDiffusion.load(unknown))
                        .getMessage());
        Path noise = file("noise", Map.of(), "ztsnr");
        assertEquals(
                "noise: trained to zero terminal SNR, where a UNet has to predict v, got epsilon: of pure noise, the noise"
                        + " says nothing of the picture",
                assertThrows(IllegalArgumentException.class, () -> StableDiffusion.load(noise))
                        .getMessage());
    }

    /** Leading timesteps never see the last, where a model of zero terminal SNR has to start; a schedule that was asked for stays. */
    @Test
    void zeroTerminalSnrStartsAtTheLastTimestep() {
        Request ddim = Request.of("").sampler(new Ddim(0));
        assertEquals(Optional.of(new Ddim(0)), plain.complete(ddim).sampling().sampler());
        assertEquals(
                Optional.of(new Ddim(0).on(Spacing.TRAILING)),
                zeroSnr.complete(ddim).sampling().sampler());
        Sampler leading = new Ddim(0).on(Spacing.LEADING), euler = Sampler.named("euler");
        for (Sampler kept : List.of(leading, euler))
            assertEquals(
                    Optional.of(kept),
                    zeroSnr.complete(Request.of("").sampler(kept)).sampling().sampler());
    }

    @Test
    void aPictureIsAnotherThanOfTheSameNetworkForNoise() throws IOException {
        Request request = Request.of("a red circle").steps(2).seed(1);
        byte[] noise;
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            noise = sd.generate(request).rgb();
        }
        Picture v = plain.generate(request);
        assertFalse(Arrays.equals(noise, v.rgb()));
        assertEquals(Optional.empty(), v.parameters().prediction());
        ModelOptions options = ModelOptions.DEFAULT.prediction(Prediction.V);
        try (StableDiffusion sd = StableDiffusion.load(Checkpoint.embedded(), new JvmBackend(2), options)) {
            Picture told = sd.generate(request);
            assertArrayEquals(v.rgb(), told.rgb());
            // What only the user knew, the picture remembers.
            String text = told.parameters().text();
            assertTrue(text.contains("Prediction: v"), text);
            assertEquals(Optional.of(Prediction.V), Parameters.parse(text).prediction());
        }
    }

    @Test
    void aMergedCheckpointStillSaysIt() throws IOException {
        Path merged = folder.resolve("merged.safetensors");
        CheckpointMerge.write(zeroSnr.checkpoint(), List.of(), false, Optional.empty(), merged);
        assertEquals(Prediction.V, config(merged).prediction());
        assertTrue(config(merged).noise().isZeroTerminalSnr());
    }

    @Test
    void namesOfOtherTools() {
        for (String name : List.of("v", "v_prediction", "v-prediction", "V_PRED", "velocity"))
            assertEquals(Prediction.V, Prediction.named(name));
        for (String name : List.of("epsilon", "eps")) assertEquals(Prediction.EPSILON, Prediction.named(name));
    }
}
