package dev.gyre.diffusion.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.DType;
import dev.gyre.core.Graph;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.Variants;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.network.TextEncoder;
import dev.gyre.diffusion.network.UNet;
import dev.gyre.diffusion.network.Vae;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.NoiseSchedule;
import dev.gyre.diffusion.sampler.Prediction;
import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.nn.Weights;
import dev.gyre.nn.linear.Linear;
import dev.gyre.nn.shape.Concat;
import dev.gyre.nn.shape.Transpose;
import dev.gyre.tokenizer.PromptChunk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A family that differs from Stable Diffusion v1 in all that a family can: two text encoders side by side, a vector of pooled text and of
 * the picture's size, levels of several kinds, v-prediction, another scale of latents, defaults and preview. It is all in this file.
 */
class AnotherFamilyTest {
    /** As SDXL has it, in small. */
    private static final class Another implements Family {
        private static final UNet UNET =
                new UNet(4, 4, List.of(new UNet.Level(8, 0, 1), new UNet.Level(16, 2, 2)), 1, 16, 12, true, 4, false);

        private static final double[][] GREY = {{0, 0.1, 0, 0, 0}, {0, 0.1, 0, 0, 0}, {0, 0.1, 0, 0, 0}};

        @Override
        public String name() {
            return "Another";
        }

        @Override
        public boolean recognises(Checkpoint file) {
            return file.hasAny("conditioner.embedders.1.");
        }

        @Override
        public ModelConfig config(Checkpoint file, Optional<Prediction> prediction) {
            return config();
        }

        static ModelConfig config() {
            return new ModelConfig(
                    "Another",
                    new TwoEncoders(),
                    UNET,
                    new Vae(4, List.of(4, 4, 8), 1, 4),
                    new LatentSpace(0.5f, 0.25f, new LatentPreview(GREY)),
                    Prediction.V,
                    new NoiseSchedule().zeroTerminalSnr(),
                    new Defaults(
                            48,
                            96,
                            OptionalInt.of(3),
                            OptionalDouble.of(2),
                            Optional.of(Sampler.named("euler")),
                            true));
        }
    }

    /** Their states side by side, and what a projection makes of the second's last token. */
    private static final class TwoEncoders implements TextEncoders {
        private static final String FIRST = "conditioner.embedders.0.transformer",
                SECOND = "conditioner.embedders.1.model";
        private static final TextEncoder ENCODER = new TextEncoder(49408, 77, 8, 16, 2, 2);
        private static final int POOLED = 10;

        @Override
        public int length() {
            return 77;
        }

        @Override
        public int width() {
            return 16;
        }

        @Override
        public int layers() {
            return 2;
        }

        @Override
        public Graph graph(int chunks, int clipSkip, int tokens, Checkpoint.Source weights) {
            Graph graph = new Graph("text encoders");
            build(chunks, clipSkip, tokens, weights.at(FIRST, graph), weights.at(SECOND, graph));
            return graph;
        }

        private static void build(int chunks, int clipSkip, int tokens, Weights first, Weights second) {
            Graph graph = first.graph();
            Value ids = graph.input("ids", DType.I32, chunks, 77), padded = graph.input("ids 2", DType.I32, chunks, 77);
            Value a = ENCODER.vocabulary(tokens).build(ids, clipSkip, first);
            Value b = ENCODER.build(padded, clipSkip, second);
            Value both = Concat.of(
                    Transpose.of(a).reshape(chunks, 8, 77, 1), Transpose.of(b).reshape(chunks, 8, 77, 1));
            graph.output(Transpose.of(both.reshape(chunks, 16, 77)));
            Value all = Linear.withoutBias(b.reshape(chunks, 1, 77 * 8), POOLED, second.at("text_projection"));
            graph.output(all.reshape(chunks, POOLED));
        }

        @Override
        public List<Tensor> inputs(List<PromptChunk> chunks) {
            int[] ids = new int[chunks.size() * 77], zeros = new int[ids.length];
            for (int i = 0; i < ids.length; i++) {
                ids[i] = chunks.get(i / 77).ids()[i % 77];
                zeros[i] = ids[i] == 49407 ? 0 : ids[i];
            }
            return List.of(Tensor.of(ids, chunks.size(), 77), Tensor.of(zeros, chunks.size(), 77));
        }

        @Override
        public float[] vector(float[] pooled, int height, int width) {
            float[] vector = Arrays.copyOf(pooled, POOLED + 2);
            vector[POOLED] = height / 48f;
            vector[POOLED + 1] = width / 48f;
            return vector;
        }

        @Override
        public List<Weights> ask(Checkpoint.Source file) {
            Graph graph = new Graph();
            Weights first = file.at(FIRST, graph), second = file.at(SECOND, graph);
            build(1, 1, 49408, first, second);
            return List.of(first, second);
        }

        @Override
        public List<String> roots() {
            return List.of(FIRST, SECOND);
        }

        @Override
        public String tokenTable() {
            return FIRST + ".embeddings.token_embedding.weight";
        }

        @Override
        public Map<String, String> adapterNames(Checkpoint file) {
            Map<String, String> names = new LinkedHashMap<>();
            for (String root : roots())
                for (String path : file.layers(root))
                    names.put(
                            "lora_te" + (1 + roots().indexOf(root)) + "_"
                                    + path.substring(root.length() + 1).replace('.', '_'),
                            path);
            return names;
        }
    }

    @TempDir
    private static Path folder;

    private static Path file;
    private static StableDiffusion sd;

    @BeforeAll
    static void load() throws IOException {
        Map<String, Variants.Data> all = new LinkedHashMap<>();
        Checkpoint.Source nothing = new Checkpoint.Source(key -> Optional.empty(), Map.of());
        for (Weights part : Another.config().ask(nothing))
            part.asked().forEach((key, shape) -> all.put(key, Variants.hashed(1, key, shape)));
        file = Variants.write(folder.resolve("another.safetensors"), all, Map.of());
        sd = open(2);
    }

    private static StableDiffusion open(int threads) throws IOException {
        return StableDiffusion.load(
                Checkpoint.open(file), new JvmBackend(threads), ModelOptions.DEFAULT.family(new Another()));
    }

    @AfterAll
    static void close() {
        sd.close();
    }

    @Test
    void itsDefaultsAndItsPreview() {
        List<Progress.Step> steps = new ArrayList<>();
        List<byte[]> looks = new ArrayList<>();
        Picture picture = sd.generate(Request.of("a tree").seed(1), new Progress() {
                    @Override
                    public void step(Step step) {
                        steps.add(step);
                        looks.add(step.previews().approximate().rgb());
                    }
                })
                .getFirst();
        assertEquals(List.of(48, 48), List.of(picture.width(), picture.height()));
        assertEquals(3, steps.size());
        byte[] grey = looks.getLast();
        for (int i = 0; i < grey.length; i += 3) assertTrue(grey[i] == grey[i + 1] && grey[i] == grey[i + 2]);
        String text = picture.parameters().text();
        assertTrue(text.contains("Steps: 3, Sampler: Euler") && text.contains("CFG scale: 2"), text);
    }

    @Test
    void theVectorCountsInEachHalfOfGuidance() throws Exception {
        Request request = Request.of("a tree").seed(1);
        byte[] picture = sd.generate(request).rgb();
        assertFalse(
                Arrays.equals(picture, sd.generate(request.negative("a house")).rgb()));
        assertFalse(Arrays.equals(
                picture, sd.generate(Request.of("a house").seed(1)).rgb()));
        try (StableDiffusion small = open(2)) {
            // Half by half, and with others.
            small.memoryLimit(1);
            assertArrayEquals(picture, small.generate(request).rgb());
        }
        List<Request> several =
                List.of(request, Request.of("a house (of wood:1.3)").seed(2), request.size(24, 48));
        List<Future<List<Picture>>> together =
                sd.generateTogether(several, List.of(Progress.NONE, Progress.NONE, Progress.NONE));
        for (int i = 0; i < several.size(); i++)
            assertArrayEquals(
                    sd.generate(several.get(i)).rgb(),
                    together.get(i).get().getFirst().rgb());
    }

    @Test
    void latentsGoThereAndBack() {
        float[] z = {-1, 0, 0.3f};
        LatentSpace space = Another.config().latents();
        float[] there = new float[3];
        for (int i = 0; i < 3; i++) there[i] = (float) space.scaled(z[i]);
        assertArrayEquals(new float[] {-0.625f, -0.125f, 0.025f}, there, 1e-6f);
        assertArrayEquals(z, space.unscaled(there), 1e-6f);
    }

    @Test
    void quantizedWeightsAndALargePicture() throws IOException {
        try (StableDiffusion small = open(1)) {
            assertTrue(small.quantize().bytes() > 0);
            Picture large =
                    small.generate(Request.of("a tree").seed(1).size(192, 96).steps(1));
            assertEquals(192, large.width());
            assertTrue(
                    large.parameters().text().contains("Drawn at: 96x48"),
                    large.parameters().text());
        }
    }

    @Test
    void withoutTheFamilyNobodyKnowsIt() {
        Exception e = assertThrows(IllegalArgumentException.class, () -> StableDiffusion.load(file));
        assertTrue(e.getMessage().startsWith("another: "), e.getMessage());
    }
}
