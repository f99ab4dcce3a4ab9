package dev.gyre.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gyre.core.Precision;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.family.SyntheticCheckpoint;
import dev.gyre.diffusion.noise.TorchRandom;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.sampler.Ddim;
import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.jsafetensors.SafeTensors;
import dev.gyre.jsafetensors.StoredType;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** In bf16, final latents differ from float64's by no more than those that PyTorch gives in bf16. */
class Bf16Test {
    @TempDir
    static Path folder;

    private static JsonNode errors;

    @BeforeAll
    static void aProcessorThatHasIt() throws IOException {
        assumeTrue(
                Precision.BF16.refusal().isEmpty(),
                "not run: " + Precision.BF16.refusal().orElse(""));
        errors = json("bf16-errors.json");
    }

    private static JsonNode json(String name) throws IOException {
        try (InputStream in = Bf16Test.class.getResourceAsStream(name)) {
            return new ObjectMapper().readTree(in);
        }
    }

    private static StableDiffusion load(Checkpoint checkpoint) {
        return StableDiffusion.load(checkpoint, new JvmBackend(JvmBackend.Options.DEFAULT.precision(Precision.BF16)));
    }

    @ParameterizedTest
    @CsvSource({"ddim,20", "pndm,50", "euler,20", "euler_a,20"})
    void embeddedModel(String sampler, int steps) throws IOException {
        try (StableDiffusion sd = load(Checkpoint.embedded());
                InputStream in = Bf16Test.class.getResourceAsStream("golden.safetensors")) {
            SafeTensors golden = SafeTensors.read(in, "golden.safetensors");
            JsonNode prompts = new ObjectMapper().readTree(golden.metadata().get("prompts"));
            for (int i = 0; i < prompts.size(); i++) {
                float[] context = sd.encodeText(List.of("", prompts.get(i).asText()), Progress.NONE);
                TorchRandom random = new TorchRandom(42);
                float[] latents = Sampler.named(sampler)
                        .sample(
                                (x, at) -> sd.guided(x, at.timestep(), context, 16, 16, 5),
                                random.next(4 * 256),
                                random,
                                steps,
                                done -> {});
                String name = "latents." + i + "." + sampler;
                float[] expected = golden.floats(name);
                double squares = 0;
                for (int k = 0; k < latents.length; k++) squares += Math.pow(latents[k] - expected[k], 2);
                check(name, Math.sqrt(squares / latents.length));
            }
        }
    }

    @Test
    @Tag("long")
    void fullSize() throws IOException {
        Path file = folder.resolve("synth-f32.safetensors");
        SyntheticCheckpoint.write(file, StoredType.F32, false);
        JsonNode references = json("fullsize.json"), about = references.get("picture.latents");
        try (StableDiffusion sd = load(Checkpoint.open(file))) {
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
            sampled("picture.latents", about, latents);
            sampled("picture.decoded", references.get("picture.decoded"), sd.decode(latents, 64, 64));
        }
    }

    private static void sampled(String name, JsonNode expected, float[] y) {
        JsonNode values = expected.get("values");
        double squares = 0;
        for (int i = 0; i < values.size(); i++)
            squares += Math.pow(
                    y[(int) (i * 2654435761L % y.length)] - values.get(i).asDouble(), 2);
        assertEquals(256, values.size());
        check(name, Math.sqrt(squares / values.size()));
    }

    private static void check(String name, double rms) {
        double allowed = errors.get(name).asDouble();
        System.out.printf("%s in bf16: rms error %.3g (PyTorch's bf16 %.3g)%n", name, rms, allowed);
        assertTrue(rms <= allowed, name + ": rms error " + rms + ", PyTorch's " + allowed);
    }
}
