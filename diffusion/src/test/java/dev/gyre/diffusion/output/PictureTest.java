package dev.gyre.diffusion.output;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.Precision;
import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.image.Resampling;
import dev.gyre.diffusion.metadata.Parameters;
import dev.gyre.diffusion.metadata.Sources;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Sampler;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PictureTest {
    @TempDir
    Path folder;

    private static Parameters parameters(String prompt, String negative) {
        Request request = Request.of(prompt)
                .negative(negative)
                .steps(20)
                .sampler(Sampler.named("euler_a"))
                .guidance(7.5)
                .seed(42)
                .size(16, 8);
        return new Parameters(
                request,
                Optional.empty(),
                "v1-5-pruned",
                Optional.of("1a189f0be6"),
                false,
                Optional.empty(),
                Precision.F32,
                false,
                "jvm",
                Sources.PLAIN,
                Map.of());
    }

    @Test
    void parametersAsAutomatic1111WritesThem() {
        assertEquals(
                "a cat\nNegative prompt: a dog\nSteps: 20, Sampler: Euler a, Schedule type: Linspace, CFG scale: 7.5,"
                        + " Seed: 42, Size: 16x8, Model hash: 1a189f0be6, Model: v1-5-pruned, RNG: CPU",
                parameters("a cat", "a dog").text());
    }

    @Test
    void aPngHoldsThePixelsAndTheParameters() throws IOException {
        Picture picture = new Picture(2, 1, new byte[] {(byte) 200, 10, 30, 0, (byte) 255, 7}, parameters("a cat", ""));
        Path path = folder.resolve("cat.png");
        picture.write(path);
        BufferedImage image = ImageIO.read(path.toFile());
        assertEquals(0xFFC80A1E, image.getRGB(0, 0));
        assertEquals(0xFF00FF07, image.getRGB(1, 0));
        String bytes = Files.readString(path, StandardCharsets.ISO_8859_1);
        assertTrue(bytes.contains("tEXtparameters\0a cat\nSteps: 20"), bytes);
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(1, files.count());
        }
    }

    @Test
    void otherAlphabetsAreKept() throws IOException {
        Path path = folder.resolve("cat.png");
        new Picture(1, 1, new byte[3], parameters("\u732b", "")).write(path);
        String bytes = Files.readString(path, StandardCharsets.ISO_8859_1);
        String utf8 = new String("\u732b\nSteps".getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
        assertTrue(bytes.contains("iTXtparameters\0\0\0\0\0" + utf8), bytes);
    }

    @Test
    void aFolderThatIsNotThereIsSaid() {
        Path path = folder.resolve("none/cat.png");
        Exception e =
                assertThrows(IOException.class, () -> new Picture(1, 1, new byte[3], parameters("", "")).write(path));
        assertEquals(path + ": there is no folder " + path.getParent(), e.getMessage());
    }

    @Test
    void pixelsAreClampedAndRoundedHalfToEven() {
        float half = 2 * (100.5f / 255) - 1;
        Image image = Image.ofPlanes(new float[] {-2, half, 3}, 1, 1);
        assertArrayEquals(new byte[] {0, 100, (byte) 255}, image.rgb());
    }

    @Test
    void enlargingKeepsAFlatPictureFlatAndARampRising() {
        float[] flat = new float[3 * 4 * 5];
        java.util.Arrays.fill(flat, 0.25f);
        for (float v : Resampling.LANCZOS.resize(flat, 3, 4, 5, 9, 16)) assertEquals(0.25f, v, 1e-6);
        float[] ramp = new float[8];
        for (int i = 0; i < 8; i++) ramp[i] = i;
        float[] wide = Resampling.LANCZOS.resize(ramp, 1, 1, 8, 1, 32);
        // Three lobes follow a straight line to a few hundredths.
        for (int i = 8; i < 24; i++) assertEquals((i + 0.5) / 4 - 0.5, wide[i], 0.08);
        for (int i = 9; i < 24; i++) assertTrue(wide[i] > wide[i - 1]);
    }

    @Test
    void requestsThatMakeNoSenseAreRefused() {
        assertRefused("size: multiples of 8, got 100x64", () -> Request.of("").size(100, 64));
        assertRefused("size: multiples of 8, got 0x64", () -> Request.of("").size(0, 64));
        assertRefused("size: at most 2880x2880 pixels in all, got 8192x8192", () -> Request.of("")
                .size(8192, 8192));
        assertRefused("steps: 1 to 1000, got 0", () -> Request.of("").steps(0));
        assertRefused("batch: at least 1, got 0", () -> Request.of("").batch(0));
        assertRefused("guidance: a number, got NaN", () -> Request.of("").guidance(Double.NaN));
    }

    private static void assertRefused(String sentence, org.junit.jupiter.api.function.Executable request) {
        assertEquals(
                sentence, assertThrows(IllegalArgumentException.class, request).getMessage());
    }
}
