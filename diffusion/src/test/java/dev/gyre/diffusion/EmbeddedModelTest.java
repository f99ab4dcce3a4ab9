package dev.gyre.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.noise.TorchRandom;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.jsafetensors.SafeTensors;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The embedded model end to end against float64 references, to five times the error that PyTorch's float32 makes. */
class EmbeddedModelTest {
    private static StableDiffusion sd;
    private static SafeTensors golden;
    private static JsonNode errors;
    private static JsonNode prompts;

    @BeforeAll
    static void load() throws IOException {
        sd = StableDiffusion.embedded();
        try (InputStream in = EmbeddedModelTest.class.getResourceAsStream("golden.safetensors")) {
            golden = SafeTensors.read(in, "golden.safetensors");
        }
        errors = new ObjectMapper().readTree(golden.metadata().get("float32_error"));
        prompts = new ObjectMapper().readTree(golden.metadata().get("prompts"));
    }

    @AfterAll
    static void close() {
        sd.close();
    }

    private static void check(String name, float[] actual) {
        Close.within(5 * errors.get(name).asDouble(), golden.floats(name), actual, name);
    }

    @Test
    void textStates() {
        List<String> texts = new ArrayList<>(List.of(""));
        prompts.forEach(p -> texts.add(p.asText()));
        for (int i = 0; i < texts.size(); i++) check("text." + i, sd.encodeText(List.of(texts.get(i)), Progress.NONE));
    }

    @Test
    void noisePrediction() {
        float[] text = sd.encodeText(List.of("", prompts.get(0).asText()), Progress.NONE);
        check("unet.eps", sd.predict(golden.floats("unet.x"), new float[] {981, 21}, text, 16, 16));
    }

    @Test
    void decoder() {
        check("vae.decoded", sd.decode(golden.floats("vae.z"), 16, 16));
    }

    @Test
    void encoder() {
        check("vae.moments", sd.encode(golden.floats("vae.image"), 128, 128));
    }

    @ParameterizedTest
    @CsvSource({"ddim,20", "pndm,50", "euler,20", "euler_a,20"})
    void finalLatents(String sampler, int steps) {
        for (int i = 0; i < prompts.size(); i++) {
            Request request = Request.of(prompts.get(i).asText())
                    .sampler(Sampler.named(sampler))
                    .steps(steps)
                    .guidance(5)
                    .seed(42);
            float[] context = sd.encodeText(List.of("", request.text().prompt()), Progress.NONE);
            TorchRandom random = new TorchRandom(42);
            float[] latents = Sampler.named(sampler)
                    .sample(
                            (x, at) -> sd.guided(x, at.timestep(), context, 16, 16, 5),
                            random.next(4 * 256),
                            random,
                            steps,
                            done -> {});
            check("latents." + i + "." + sampler, latents);
        }
    }

    @Test
    void aSeedsPictureIsTheSameAloneInABatchAndWithAnyNumberOfThreads() {
        Request request = Request.of("a cyan moon at the top on a brown background")
                .steps(3)
                .seed(7);
        List<Picture> batch = sd.generate(request.batch(3), Progress.NONE);
        assertEquals(
                List.of(7L, 8L, 9L),
                batch.stream().map(p -> p.parameters().seed()).toList());
        assertArrayEquals(sd.generate(request.seed(8)).rgb(), batch.get(1).rgb());
        try (StableDiffusion other = StableDiffusion.load(Checkpoint.embedded(), new JvmBackend(3))) {
            assertArrayEquals(
                    other.generate(request.seed(9)).rgb(), batch.get(2).rgb());
        }
        assertFalse(java.util.Arrays.equals(batch.get(0).rgb(), batch.get(1).rgb()));
    }

    @Test
    void sizesThatAreNoMultipleOf64Work() {
        Picture picture = sd.generate(Request.of("a red circle on a blue background")
                .size(104, 72)
                .steps(2)
                .seed(1));
        assertEquals(104, picture.width());
        assertEquals(72, picture.height());
        assertEquals(104 * 72 * 3, picture.rgb().length);
    }

    @Test
    void beyondTheNativeSizeIsDrawnThereAndEnlargedAndSaid() {
        List<String> notes = new ArrayList<>();
        Picture picture = sd.generate(
                        Request.of("a red circle on a blue background")
                                .size(512, 256)
                                .steps(2)
                                .seed(1),
                        new Progress() {
                            @Override
                            public void note(String sentence) {
                                notes.add(sentence);
                            }
                        })
                .get(0);
        assertEquals(512, picture.width());
        assertEquals(
                Optional.of(new Request.Size(128, 64)), picture.parameters().drawn());
        assertEquals(List.of("this model works at 128 pixels: generated at 128x64 and resized to 512x256"), notes);
    }

    @Test
    void guidanceOfOneAsksForThePromptAlone() {
        Request request =
                Request.of("a red circle on a blue background").steps(2).seed(1).guidance(1);
        // The negative prompt has no say without guidance.
        assertArrayEquals(
                sd.generate(request).rgb(),
                sd.generate(request.negative("a green star")).rgb());
    }

    @Test
    void coloursAreWhatThePromptSays() {
        Picture picture =
                sd.generate(Request.of("a red circle on a blue background").seed(42));
        assertColour(picture, 64, 64, 200, 60, 60);
        assertColour(picture, 4, 4, 40, 70, 200);
    }

    private static void assertColour(Picture picture, int x, int y, int red, int green, int blue) {
        int i = 3 * (y * picture.width() + x);
        assertEquals(red, picture.rgb()[i] & 0xFF, 60);
        assertEquals(green, picture.rgb()[i + 1] & 0xFF, 60);
        assertEquals(blue, picture.rgb()[i + 2] & 0xFF, 60);
    }
}
