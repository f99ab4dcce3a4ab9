package dev.gyre.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.family.SyntheticCheckpoint;
import dev.gyre.diffusion.noise.TorchRandom;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.sampler.Ddim;
import dev.gyre.jsafetensors.StoredType;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Stable Diffusion v1.5 at full size on synthetic weights, against float64 references. A result agrees when each sampled value is
 * within five times float32's largest error, their rms difference within five times float32's, and sum and sum of squares within
 * what errors of that size explain. Takes minutes, 4.3 GB of disk and 4 GB of memory.
 */
@Tag("long")
class FullSizeTest {
    @TempDir
    static Path folder;

    private static StableDiffusion sd;
    private static JsonNode references;

    @BeforeAll
    static void load() throws IOException {
        Path file = folder.resolve("synth-f32.safetensors");
        SyntheticCheckpoint.write(file, StoredType.F32, false);
        sd = StableDiffusion.load(Checkpoint.open(file), new JvmBackend());
        references = references();
    }

    static JsonNode references() throws IOException {
        try (InputStream in = FullSizeTest.class.getResourceAsStream("fullsize.json")) {
            return new ObjectMapper().readTree(in);
        }
    }

    @AfterAll
    static void close() {
        if (sd != null) sd.close();
    }

    @Test
    void textEncoder() {
        JsonNode prompts = references.get("clip.last_hidden_state").get("prompts");
        check(
                "clip.last_hidden_state",
                sd.encodeText(List.of(prompts.get(0).asText(), prompts.get(1).asText()), Progress.NONE));
    }

    @Test
    void unet() {
        float[] x = given("golden.x", 2 * 4 * 64 * 64, Math.sqrt(3)), context = context(2);
        check("unet.eps", sd.predict(x, new float[] {981, 21}, context, 64, 64));
    }

    @Test
    void unetOfAWidePicture() {
        float[] x = given("golden.rect", 4 * 40 * 64, Math.sqrt(3));
        check("unet.rect.eps", sd.predict(x, new float[] {500}, context(1), 40, 64));
    }

    @Test
    void decoder() {
        check("vae.decoded", sd.decode(given("golden.latents", 4 * 64 * 64, Math.sqrt(3)), 64, 64));
    }

    @Test
    void encoder() {
        check("vae.moments", sd.encode(given("golden.image", 3 * 256 * 320, 1), 256, 320));
    }

    @Test
    void picture() {
        JsonNode about = references.get("picture.latents");
        float[] text = sd.encodeText(
                List.of(about.get("negative").asText(), about.get("prompt").asText()), Progress.NONE);
        TorchRandom random = new TorchRandom(42);
        float[] latents = new Ddim(0)
                .sample(
                        (x, at) -> sd.guided(
                                x,
                                at.timestep(),
                                text,
                                64,
                                64,
                                about.get("guidance").asDouble()),
                        random.next(4 * 64 * 64),
                        random,
                        about.get("steps").asInt(),
                        done -> {});
        check("picture.latents", latents);
        check("picture.decoded", sd.decode(latents, 64, 64));
    }

    static float[] context(int batch) {
        return Arrays.copyOf(given("golden.context", 2 * 77 * 768, Math.sqrt(3)), batch * 77 * 768);
    }

    static float[] given(String name, int count, double scale) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) values[i] = (float) (SyntheticCheckpoint.u(name, i) * scale);
        return values;
    }

    private static void check(String name, float[] y) {
        check(references, name, y, 5);
    }

    /** @param factor how many times float32's error is allowed */
    static void check(JsonNode references, String name, float[] y, int factor) {
        JsonNode expected = references.get(name);
        long n = y.length;
        long product = 1;
        for (JsonNode dim : expected.get("shape")) product *= dim.asLong();
        assertEquals(product, n, name);
        JsonNode values = expected.get("values");
        double largest = 0, squared = 0, sum = 0, squares = 0;
        for (int i = 0; i < values.size(); i++) {
            double error =
                    Math.abs(y[(int) (i * 2654435761L % n)] - values.get(i).asDouble());
            largest = Math.max(largest, error);
            squared += error * error;
        }
        for (float v : y) {
            sum += v;
            squares += (double) v * v;
        }
        double rms = Math.sqrt(squared / values.size());
        double maxError = expected.get("float32_max_error").asDouble();
        double rmsError = expected.get("float32_rms_error").asDouble(), e = factor * rmsError;
        System.out.printf(
                "%s: largest error %.3g (PyTorch's float32 %.3g), rms %.3g (%.3g)%n",
                name, largest, maxError, rms, rmsError);
        assertTrue(
                largest <= factor * maxError, name + ": largest error " + largest + ", allowed " + factor * maxError);
        assertTrue(rms <= e, name + ": rms error " + rms + ", allowed " + e);
        assertEquals(expected.get("sum").asDouble(), sum, n * e, name + ": sum");
        double total = expected.get("sum_of_squares").asDouble();
        assertEquals(total, squares, 2 * e * Math.sqrt(n * total) + n * e * e, name + ": sum of squares");
    }
}
