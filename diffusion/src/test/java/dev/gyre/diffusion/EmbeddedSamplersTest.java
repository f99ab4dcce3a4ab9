package dev.gyre.diffusion;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gyre.diffusion.noise.NoiseSource;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.jsafetensors.SafeTensors;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Ten steps of every sampler on the embedded model against diffusers and k-diffusion in float64, to five times the error that they make
 * in float32.
 */
class EmbeddedSamplersTest {
    private static final SafeTensors GOLDEN = golden();
    private static StableDiffusion sd;
    private static JsonNode errors;
    private static float[] context;

    private static SafeTensors golden() {
        try (InputStream in = EmbeddedSamplersTest.class.getResourceAsStream("samplers.safetensors")) {
            return SafeTensors.read(in, "samplers.safetensors");
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @BeforeAll
    static void load() throws IOException {
        sd = StableDiffusion.embedded();
        errors = new ObjectMapper().readTree(GOLDEN.metadata().get("float32_error"));
        context = sd.encodeText(List.of("", GOLDEN.metadata().get("prompt")), Progress.NONE);
    }

    @AfterAll
    static void close() {
        sd.close();
    }

    static Stream<String> names() {
        return GOLDEN.names().stream();
    }

    @ParameterizedTest
    @MethodSource("names")
    void finalLatents(String name) {
        Sampler.Noise random = NoiseSource.CPU.seeded(42);
        float[] latents = Sampler.named(name)
                .sample(
                        (x, at) -> sd.guided(x, at.timestep(), context, 16, 16, 5),
                        random.next(4 * 16 * 16),
                        random,
                        10,
                        done -> {});
        float[] expected = GOLDEN.floats(name);
        double error = 0;
        for (int i = 0; i < latents.length; i++) error = Math.max(error, Math.abs(latents[i] - expected[i]));
        System.out.printf(
                "%s: error %.2g (float32's own %.2g)%n",
                name, error, errors.get(name).asDouble());
        Close.within(5 * errors.get(name).asDouble(), expected, latents, name);
    }
}
