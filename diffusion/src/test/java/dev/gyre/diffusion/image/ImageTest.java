package dev.gyre.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.diffusion.References;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Small images that PIL wrote, in many formats. */
class ImageTest {
    private static Image read(String name) {
        return References.image("images/" + name);
    }

    private static byte[] pixels() {
        byte[] rgb = new byte[3 * 9 * 6];
        for (int i = 0; i < rgb.length; i++) rgb[i] = (byte) (i / 27 * 31 + i / 3 % 9 * 17 + i % 3 * 90);
        return rgb;
    }

    @ParameterizedTest
    @ValueSource(strings = {"rgb.png", "rgb.bmp", "rgb.tiff", "lossless.webp", "alpha.png"})
    void exactFormats(String name) {
        Image image = read(name);
        assertEquals(9, image.width());
        assertEquals(6, image.height());
        assertArrayEquals(pixels(), image.rgb());
        assertEquals(
                name.equals("alpha.png"),
                image.alpha().isPresent() && image.alpha().get()[0] == 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"smooth.jpg", "smooth.webp"})
    void lossyFormats(String name) {
        assertTrue(difference(read("smooth.png"), read(name)) < 6, name);
    }

    private static double difference(Image a, Image b) {
        double sum = 0;
        for (int i = 0; i < a.rgb().length; i++) sum += Math.abs((a.rgb()[i] & 0xFF) - (b.rgb()[i] & 0xFF));
        return sum / a.rgb().length;
    }

    @Test
    void aLargeMask() {
        Image mask = read("half-white.webp");
        assertEquals(4096, mask.width());
        byte[] expected = new byte[3 * 4096 * 4096];
        for (int i = 0; i < expected.length; i++) expected[i] = (byte) (i / 3 % 4096 < 2048 ? 0 : -1);
        assertArrayEquals(expected, mask.rgb());
    }

    @Test
    void aFileThatEndsEarly() {
        // 512×512 pixels of noise, for which it has 2000 bytes.
        String e = assertThrows(UncheckedIOException.class, () -> read("cut-off.webp"))
                .getCause()
                .getMessage();
        assertTrue(e.endsWith("cut-off.webp: the image is damaged: it ends too early"), e);
    }

    @Test
    void grayIsNotBrightenedAndPalettesAreLookedUp() {
        Image gray = read("gray.png"), deep = read("gray16.png");
        for (int i = 0; i < 54; i++) {
            int[] c = new int[3];
            for (int k = 0; k < 3; k++) c[k] = pixels()[3 * i + k] & 0xFF;
            assertEquals(0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2], gray.rgb()[3 * i] & 0xFF, 1);
            assertEquals((i / 9 * 3000 + i % 9 * 5000) % 65536 / 257.0, deep.rgb()[3 * i] & 0xFF, 0.51);
        }
        assertTrue(difference(Image.of(9, 6, pixels()), read("palette.gif")) < 12);
        for (byte b : read("one-bit.png").rgb()) assertTrue(b == 0 || b == -1);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
    void camerasThatWereTurned(int orientation) {
        // Blocks of 16: red, green, blue; yellow, cyan, magenta. Where each corner's colour is seen, by PIL's
        // exif_transpose.
        Image image = read("turned-" + orientation + ".jpg");
        List<List<Integer>> corners = List.of( // top left, top right
                List.of(0xFF0000, 0x0000FF),
                List.of(0x0000FF, 0xFF0000),
                List.of(0xFF00FF, 0xFFFF00),
                List.of(0xFFFF00, 0xFF00FF),
                List.of(0xFF0000, 0xFFFF00),
                List.of(0xFFFF00, 0xFF0000),
                List.of(0xFF00FF, 0x0000FF),
                List.of(0x0000FF, 0xFF00FF));
        assertEquals(orientation < 5 ? 48 : 32, image.width());
        assertEquals(orientation < 5 ? 32 : 48, image.height());
        colour(corners.get(orientation - 1).get(0), image, 5, 5);
        colour(corners.get(orientation - 1).get(1), image, image.width() - 6, 5);
    }

    private static void colour(int expected, Image image, int x, int y) {
        for (int c = 0; c < 3; c++)
            assertEquals(expected >> (16 - 8 * c) & 0xFF, image.rgb()[3 * (y * image.width() + x) + c] & 0xFF, 8.0);
    }

    @Test
    void whatIsNoImageIsSaid(@TempDir Path folder) throws IOException {
        Path text = Files.writeString(folder.resolve("text.png"), "no picture");
        assertEquals(
                text + ": not an image that can be read: expected PNG, JPEG, WebP, GIF, BMP or TIFF",
                assertThrows(IOException.class, () -> Image.read(text)).getMessage());
        assertEquals(
                folder + ": an image is expected, this is a folder",
                assertThrows(IOException.class, () -> Image.read(folder)).getMessage());
        assertThrows(IllegalArgumentException.class, () -> Image.of(2, 2, new byte[3]));
    }

    @Test
    void edgesArePaddedWithTheirOwnColour() {
        Image one = Image.of(2, 1, new byte[] {1, 2, 3, 4, 5, 6});
        Image padded = one.pad(1, 0, 2, 1);
        assertEquals(5, padded.width());
        assertArrayEquals(new byte[] {1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6, 4, 5, 6}, Arrays.copyOf(padded.rgb(), 15));
        assertArrayEquals(one.rgb(), padded.crop(1, 1, 2, 1).rgb());
    }
}
