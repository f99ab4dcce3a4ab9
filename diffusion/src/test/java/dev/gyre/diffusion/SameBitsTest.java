package dev.gyre.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.gyre.core.Observer;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.adapter.ControlNet;
import dev.gyre.diffusion.adapter.Lora;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.network.UNet;
import dev.gyre.diffusion.noise.NoiseSource;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.request.Conditions;
import dev.gyre.diffusion.request.HiresFix;
import dev.gyre.diffusion.request.InitImage;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Sampler;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A picture is the same in a batch on two threads, alone on one with hardly any memory, and alone on three: what the decoder gives is
 * compared to the bit, before it is rounded to colours.
 */
class SameBitsTest {
    private static final int BATCH = 3;

    /** One that multiplies steps' noise, one that asks twice and draws noise in between, one that remembers, one that does neither. */
    private static final List<String> SAMPLERS = List.of("ddim", "euler a", "DPM++ SDE", "DPM++ 3M SDE Karras");

    private static final Map<String, UnaryOperator<Request>> KINDS = new LinkedHashMap<>();

    @TempDir
    private static Path folder;

    private static Lora lora;
    private static ControlNet control;
    private static Models plain;
    private static Models eightBits;
    private static Models inpainting;

    /** A model, and what its decoder gave since somebody looked. */
    private record Watched(StableDiffusion sd, List<float[]> decoded) {
        static Watched of(Checkpoint checkpoint, int threads) {
            Watched watched = new Watched(StableDiffusion.load(checkpoint, new JvmBackend(threads)), new ArrayList<>());
            watched.sd.observe(Observer.of(
                    "first_stage_model.decoder.conv_out", (name, tensor) -> watched.decoded.add(tensor.floats())));
            return watched;
        }
    }

    /** The same model three times. */
    private record Models(Watched two, Watched one, Watched three) {
        static Models of(Checkpoints checkpoints) throws IOException {
            Models all = new Models(
                    Watched.of(checkpoints.open(), 2),
                    Watched.of(checkpoints.open(), 1),
                    Watched.of(checkpoints.open(), 3));
            all.one.sd.memoryLimit(1 << 20);
            return all;
        }

        List<StableDiffusion> all() {
            return List.of(two.sd, one.sd, three.sd);
        }
    }

    private interface Checkpoints {
        Checkpoint open() throws IOException;
    }

    @BeforeAll
    static void load() throws IOException {
        plain = Models.of(Checkpoint::embedded);
        eightBits = Models.of(Checkpoint::embedded);
        eightBits.all().forEach(StableDiffusion::quantize);
        Path wide = Variants.inpainting(folder.resolve("inpainting.safetensors"));
        inpainting = Models.of(() -> Checkpoint.open(wide));
        lora = Lora.open(References.copy("lora-kohya.safetensors", folder));
        UNet unet = plain.two.sd.model().config().unet();
        control = ControlNet.open(Variants.controlNet(folder.resolve("control.safetensors"), unet, 1, key -> key));
        kinds();
    }

    private static void kinds() {
        Image circle = References.image("circle.png").resize(72, 64);
        Image half = circle.crop(0, 0, 72, 64);
        for (int i = 0; i < 72 * 64; i++) Arrays.fill(half.rgb(), 3 * i, 3 * i + 3, (byte) (i % 72 < 36 ? 0 : 255));
        InitImage from = InitImage.of(circle).strength(0.8);
        InitImage.Mask right = InitImage.Mask.of(half).blur(2);
        UnaryOperator<Conditions> keep =
                network -> network.control(new Conditions.Control(control, circle, 0.8, new Request.StepRange(0, 0.6)));

        KINDS.put("text", r -> r);
        KINDS.put(
                "a prompt that changes", r -> r.with(r.text().negative("a moon").clipSkip(2)));
        KINDS.put("no guidance", r -> r.guidance(1));
        KINDS.put("guidance for a part", r -> r.with(r.sampling().guided(new Request.StepRange(0.2, 0.7))));
        KINDS.put(
                "the noise of a GPU",
                r -> r.with(r.noise().source(NoiseSource.CUDA).stepSeedDelta(31337)));
        KINDS.put("variation", r -> r.with(r.noise().variation(new Request.Variation(11, 0.3))));
        KINDS.put("image", r -> r.with(from));
        KINDS.put("mask", r -> r.with(from.mask(right)));
        KINDS.put("close-up", r -> r.with(from.mask(right.closeUp(4))));
        KINDS.put("outpaint", r -> r.with(InitImage.outpaint(circle.crop(0, 0, 48, 64), 0, 0, 24, 0)));
        KINDS.put("hires", r -> r.with(new HiresFix(1.5, 0.7, true, OptionalInt.empty())));
        KINDS.put("hires by Lanczos", r -> r.with(new HiresFix(1.5, 0.6, false, OptionalInt.of(5))));
        KINDS.put("tileable", r -> r.with(Conditions.PLAIN.tileable(true)));
        KINDS.put("LoRA", r -> r.with(Conditions.PLAIN.lora(lora, 0.7)));
        KINDS.put("ControlNet", r -> r.with(keep.apply(Conditions.PLAIN)));
        KINDS.put("reuse", r -> r.with(Conditions.PLAIN.reuse(new Conditions.Reuse(2, 2))));
        KINDS.put("all at once", r -> r.with(from)
                .with(keep.apply(Conditions.PLAIN.lora(lora, -0.4)).reuse(Conditions.Reuse.every(3))));
    }

    /** Every sampler, and every kind of request with one of four. */
    static Stream<Arguments> some() {
        List<Arguments> all = new ArrayList<>();
        for (Sampler sampler : Sampler.ALL) all.add(Arguments.of("plain", "text", sampler.displayName()));
        List<Arguments> rest = every().toList();
        int kinds = rest.size() / SAMPLERS.size();
        for (int i = 0; i < kinds; i++) all.add(rest.get(i + kinds * (i % SAMPLERS.size())));
        return all.stream();
    }

    static Stream<Arguments> every() {
        List<Arguments> all = new ArrayList<>();
        for (String sampler : SAMPLERS) {
            for (String kind : KINDS.keySet()) all.add(Arguments.of("plain", kind, sampler));
            for (String kind : List.of("text", "LoRA", "reuse")) all.add(Arguments.of("eight bits", kind, sampler));
            for (String kind : List.of("text", "mask")) all.add(Arguments.of("inpainting", kind, sampler));
        }
        return all.stream();
    }

    @ParameterizedTest(name = "{0}, {1}, {2}")
    @MethodSource("some")
    void aloneInABatchAndOnAnyNumberOfThreads(String models, String kind, String sampler) {
        compare(models, kind, sampler, 3);
    }

    @ParameterizedTest(name = "{0}, {1}, {2}")
    @MethodSource("every")
    @Tag("long")
    void everyKindWithEachOfThem(String models, String kind, String sampler) {
        compare(models, kind, sampler, 6);
    }

    private static void compare(String models, String kind, String sampler, int steps) {
        Models on =
                switch (models) {
                    case "plain" -> plain;
                    case "eight bits" -> eightBits;
                    default -> inpainting;
                };
        Request request = KINDS.get(kind)
                .apply(Request.of("a yellow [star|heart] on a [blue:(black:1.2):0.5] background")
                        .size(72, 64)
                        .sampler(Sampler.named(sampler))
                        .steps(steps)
                        .seed(42));
        List<Drawn> batch = draw(on.two, request.batch(BATCH));
        same(draw(on.one, alone(request, 0)).getFirst(), batch.getFirst(), "the first, alone on one thread");
        same(draw(on.three, alone(request, 2)).getFirst(), batch.getLast(), "the last, alone on three threads");
        assertFalse(Arrays.equals(batch.getFirst().rgb, batch.getLast().rgb), "the batch's pictures are all alike");
    }

    private static Request alone(Request request, int i) {
        return request.with(request.noise()
                .variation()
                .map(of -> request.noise().variation(new Request.Variation(11 + i, of.strength())))
                .orElse(request.noise().seed(42 + i)));
    }

    /** What the decoder gave for a picture, each time it ran, and what became of it. */
    private record Drawn(List<float[]> decoded, byte[] rgb, String parameters) {}

    private static List<Drawn> draw(Watched on, Request request) {
        List<Drawn> all = new ArrayList<>();
        on.sd.generate(request, new Progress() {
            @Override
            public void picture(Picture picture) {
                all.add(new Drawn(
                        List.copyOf(on.decoded),
                        picture.rgb(),
                        picture.parameters().text()));
                on.decoded.clear();
            }
        });
        return all;
    }

    private static void same(Drawn expected, Drawn actual, String which) {
        assertEquals(expected.decoded.size(), actual.decoded.size(), which);
        assertFalse(expected.decoded.isEmpty(), which);
        for (int i = 0; i < expected.decoded.size(); i++)
            assertArrayEquals(expected.decoded.get(i), actual.decoded.get(i), which);
        assertArrayEquals(expected.rgb, actual.rgb, which);
        assertEquals(expected.parameters, actual.parameters, which);
    }

    @AfterAll
    static void close() {
        for (Models models : List.of(plain, eightBits, inpainting)) models.all().forEach(StableDiffusion::close);
        lora.close();
        control.close();
    }
}
