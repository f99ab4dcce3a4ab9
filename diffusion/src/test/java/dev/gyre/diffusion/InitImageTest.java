package dev.gyre.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.pipeline.CropRegion;
import dev.gyre.diffusion.pipeline.Generation;
import dev.gyre.diffusion.pipeline.TiledVae;
import dev.gyre.diffusion.request.Conditions;
import dev.gyre.diffusion.request.HiresFix;
import dev.gyre.diffusion.request.InitImage;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Sampler;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Drawing that begins with a picture: latents against diffusers' pipelines, pixels against common sense. */
public class InitImageTest {
    private static final References GOLDEN = References.of("pictures.safetensors");
    private static final Image CIRCLE = References.image("circle.png");
    private static final Image RIGHT_HALF = mask(i -> i % 128 >= 64);
    private static StableDiffusion sd;

    @TempDir
    private static Path folder;

    @BeforeAll
    static void load() {
        sd = StableDiffusion.embedded();
    }

    @AfterAll
    static void close() {
        sd.close();
    }

    private static Image mask(IntPredicate white) {
        byte[] rgb = new byte[3 * 128 * 128];
        for (int i = 0; i < rgb.length; i++) rgb[i] = (byte) (white.test(i / 3) ? 255 : 0);
        return Image.of(128, 128, rgb);
    }

    /** As the references were made. */
    public static Request request(String sampler) {
        return Request.of("a yellow star on a black background")
                .sampler(Sampler.named(sampler))
                .steps(10)
                .guidance(5)
                .seed(42);
    }

    public static float[] latents(StableDiffusion model, Request request) {
        Generation drawing = new Generation(model.model(), request, Progress.NONE);
        drawing.prepare();
        return drawing.denoise(0, 1).get(0);
    }

    @ParameterizedTest
    @CsvSource({"ddim", "euler"})
    void imageToImage(String sampler) {
        InitImage start = InitImage.of(CIRCLE).strength(0.6);
        GOLDEN.check("img2img." + sampler, latents(sd, request(sampler).with(start)));
    }

    @ParameterizedTest
    @CsvSource({"ddim,1", "euler,0.7"})
    void inpainting(String sampler, double strength) {
        InitImage start = InitImage.of(CIRCLE).strength(strength).mask(InitImage.Mask.of(RIGHT_HALF));
        GOLDEN.check("inpaint." + sampler, latents(sd, request(sampler).with(start)));
    }

    @ParameterizedTest
    @CsvSource({"ddim,1", "euler,0.7"})
    void inpaintingWithANetworkForIt(String sampler, double strength) throws IOException {
        InitImage start = InitImage.of(CIRCLE).strength(strength).mask(InitImage.Mask.of(RIGHT_HALF));
        try (StableDiffusion wide =
                StableDiffusion.load(Variants.inpainting(folder.resolve(sampler + ".safetensors")))) {
            GOLDEN.check("inpaint9." + sampler, latents(wide, request(sampler).with(start)));
            // Without a picture it draws, too.
            assertEquals(128, wide.generate(request(sampler).steps(1)).width());
        }
    }

    @Test
    void aSecondPassOverEnlargedLatents() {
        HiresFix how = new HiresFix(1.5, 0.7, true, OptionalInt.empty());
        Generation drawing = new Generation(sd.model(), request("euler").with(how), Progress.NONE);
        drawing.prepare();
        GOLDEN.check("hires.latent", drawing.hires(0, drawing.denoise(0, 1).get(0), how));
        Picture picture = sd.generate(request("euler").steps(4).with(how));
        assertEquals(192, picture.width());
        Picture other = sd.generate(request("euler").steps(4).with(new HiresFix(1.5, 0.5, false, OptionalInt.of(6))));
        assertEquals(192, other.height());
        assertFalse(Arrays.equals(picture.rgb(), other.rgb()));
    }

    @Test
    void anInpaintedHalfChangesAndTheOtherDoesNot() {
        InitImage start = InitImage.of(CIRCLE)
                .strength(1)
                .mask(InitImage.Mask.of(RIGHT_HALF).blur(2));
        Picture picture = sd.generate(
                Request.of("a red circle on a white background").seed(3).with(start));
        int changed = 0;
        for (int i = 0; i < 128 * 128; i++) {
            boolean same = Arrays.equals(picture.rgb(), 3 * i, 3 * i + 3, CIRCLE.rgb(), 3 * i, 3 * i + 3);
            // Three σ beyond the mask's edge nothing is left of its blur.
            if (i % 128 < 64 - 7) assertTrue(same, "pixel " + i % 128 + ", " + i / 128);
            else if (i % 128 >= 64 && !same) changed++;
        }
        assertTrue(changed > 64 * 128 / 2, "pixels changed: " + changed);
    }

    @Test
    void onlyTheMaskedPartIsDrawnLargeAndPutBack() {
        Image whole = CIRCLE.resize(300, 210);
        Image mask = Image.of(300, 210, new byte[3 * 300 * 210]);
        for (int y = 20; y < 60; y++) Arrays.fill(mask.rgb(), 3 * (y * 300 + 30), 3 * (y * 300 + 70), (byte) 255);
        InitImage start = InitImage.of(whole)
                .strength(1)
                .mask(InitImage.Mask.of(mask).blur(0).closeUp(16));
        Picture picture = sd.generate(Request.of("a yellow star on a white background")
                .steps(8)
                .seed(3)
                .with(start));
        assertEquals(300, picture.width());
        assertEquals(210, picture.height());
        int changed = 0;
        for (int i = 0; i < 300 * 210; i++) {
            boolean same = Arrays.equals(picture.rgb(), 3 * i, 3 * i + 3, whole.rgb(), 3 * i, 3 * i + 3);
            boolean masked = mask.rgb()[3 * i] != 0;
            if (!masked) assertTrue(same, "pixel " + i % 300 + ", " + i / 300);
            else if (!same) changed++;
        }
        assertTrue(changed > 1500, "pixels changed: " + changed);
    }

    @Test
    void regionsStayWithinTheImageAndTakeTheDrawingsShape() {
        float[] mask = new float[100 * 60];
        mask[5 * 100 + 98] = 1;
        Request.Size square = new Request.Size(512, 512);
        // Columns 96 to 99, rows 3 to 7, made square.
        assertEquals(new CropRegion(95, 3, 5, 5), CropRegion.around(mask, 100, 60, 2, square));
        mask[59 * 100] = 1;
        assertEquals(new CropRegion(0, 0, 99, 60), CropRegion.around(mask, 100, 60, 0, square));
        CropRegion wide = CropRegion.around(mask, 100, 60, 300, new Request.Size(512, 256));
        assertEquals(new CropRegion(0, 0, 100, 60), wide);
    }

    @Test
    void whatIsBeyondTheEdgesIsPainted() {
        InitImage start = InitImage.outpaint(CIRCLE.crop(0, 0, 96, 128), 0, 0, 32, 0);
        Picture picture = sd.generate(
                Request.of("a red circle on a blue background").steps(6).seed(4).with(start));
        assertEquals(128, picture.width());
        for (int y = 0; y < 128; y++)
            assertArrayEquals(
                    Arrays.copyOfRange(CIRCLE.rgb(), 3 * 128 * y, 3 * (128 * y + 80)),
                    Arrays.copyOfRange(picture.rgb(), 3 * 128 * y, 3 * (128 * y + 80)));
        assertThrows(IllegalArgumentException.class, () -> InitImage.outpaint(CIRCLE, 0, 0, -8, 0));
    }

    @Test
    void littleStrengthKeepsThePictureAndMuchDoesNot() {
        Request same = Request.of("a red circle on a blue background").seed(5);
        Request other = Request.of("a green square on a white background").seed(5);
        double kept = difference(sd.generate(same.with(InitImage.of(CIRCLE).strength(0.1))));
        double lost = difference(sd.generate(other.with(InitImage.of(CIRCLE).strength(0.95))));
        assertTrue(kept < 12, "little strength changes " + kept);
        assertTrue(lost > 40, "much strength changes " + lost);
    }

    private static double difference(Picture picture) {
        double sum = 0;
        for (int i = 0; i < picture.rgb().length; i++)
            sum += Math.abs((picture.rgb()[i] & 0xFF) - (CIRCLE.rgb()[i] & 0xFF));
        return sum / picture.rgb().length;
    }

    @Test
    void tileablePictures() {
        Conditions network = Conditions.PLAIN.tileable(true);
        float[] latents = latents(sd, request("euler").with(network));
        GOLDEN.check("tileable", latents);
        TiledVae vae = sd.model().vae(true, Progress.NONE);
        float[] decoded = vae.decode(latents, 16, 16), some = new float[3 * 32 * 32];
        for (int i = 0; i < some.length; i++)
            some[i] = decoded[i / 1024 * 128 * 128 + i / 32 % 32 * 4 * 128 + i % 32 * 4];
        GOLDEN.check("tileable.decoded", some);
        GOLDEN.check("tileable.moments", vae.encode(cropped(), 104, 128));
    }

    private static float[] cropped() {
        return CIRCLE.crop(0, 0, 128, 104).planes();
    }

    @Test
    void tilesFadeIntoEachOtherAsDiffusersHasThem() {
        TiledVae vae = sd.model().vae(false, Progress.NONE);
        float[] z = GOLDEN.file().floats("tiles.z");
        GOLDEN.check("tiles.decoded", vae.decode(z, 13, 16, 8));
        GOLDEN.check("tiles.moments", vae.encode(cropped(), 104, 128, 8));
    }

    @Test
    void whatDoesNotFitIsDoneInTilesAndSaid() {
        List<String> notes = new ArrayList<>();
        Progress listener = new Progress() {
            @Override
            public void note(String sentence) {
                notes.add(sentence);
            }
        };
        try (StableDiffusion small = StableDiffusion.load(Checkpoint.embedded(), new JvmBackend(2))) {
            float[] z = new float[4 * 80 * 72];
            for (int i = 0; i < z.length; i++) z[i] = (float) Math.sin(0.01 * i);
            float[] whole = small.model().vae(false, listener).decode(z, 80, 72);
            assertEquals(List.of(), notes);
            small.memoryLimit(20 << 20);
            float[] tiled = small.model().vae(false, listener).decode(z, 80, 72);
            assertEquals(1, notes.size());
            assertTrue(
                    notes.get(0)
                            .matches("decoding the whole picture takes \\d+ MiB of memory and 20 MiB are there:"
                                    + " done in tiles of 512 pixels that fade into each other"),
                    notes.get(0));
            double error = 0, size = 0;
            for (int i = 0; i < whole.length; i++) {
                error += Math.pow(whole[i] - tiled[i], 2);
                size += Math.pow(whole[i], 2);
            }
            assertTrue(error > 0 && Math.sqrt(error / size) < 0.2, "relative difference " + Math.sqrt(error / size));
        }
    }

    @ParameterizedTest
    @CsvSource({"1", "3"})
    void stepsThatReuseOthers(int blocks) {
        Conditions network = Conditions.PLAIN.reuse(new Conditions.Reuse(3, blocks));
        GOLDEN.check("reuse." + blocks, latents(sd, request("ddim").with(network)));
    }

    @Test
    void theSameAloneInABatchAndWithAnotherNumberOfThreads() {
        Request request = request("euler a")
                .steps(4)
                .with(InitImage.of(CIRCLE).mask(InitImage.Mask.of(RIGHT_HALF)))
                .with(Conditions.PLAIN.reuse(Conditions.Reuse.every(2)));
        List<Picture> batch = sd.generate(request.batch(2), Progress.NONE);
        assertArrayEquals(sd.generate(request.seed(43)).rgb(), batch.get(1).rgb());
        try (StableDiffusion other = StableDiffusion.load(Checkpoint.embedded(), new JvmBackend(3))) {
            assertArrayEquals(other.generate(request).rgb(), batch.get(0).rgb());
        }
    }

    @Test
    void whatMakesNoSenseIsRefused() {
        refused("strength: 0 to 1, got 1.5", () -> InitImage.of(CIRCLE).strength(1.5));
        refused("mask blur: 0 to 256, got -1.0", () -> InitImage.Mask.of(CIRCLE).blur(-1));
        refused(
                "strength: 0.05 of 10 steps leaves no step",
                () -> sd.generate(request("ddim").with(InitImage.of(CIRCLE).strength(0.05))));
        refused(
                "the mask is black everywhere: there is nothing to repaint",
                () -> sd.generate(
                        request("ddim").with(InitImage.of(CIRCLE).mask(InitImage.Mask.of(mask(i -> false))))));
        refused("hires: above 1 to 8, got 1.0", () -> new HiresFix(1, 0.5, true, OptionalInt.empty()));
        refused("deepcache: steps from one whole UNet to the next: 2 to 1000, got 1", () -> Conditions.Reuse.every(1));
    }

    private static void refused(String sentence, org.junit.jupiter.api.function.Executable what) {
        assertEquals(
                sentence, assertThrows(IllegalArgumentException.class, what).getMessage());
    }
}
