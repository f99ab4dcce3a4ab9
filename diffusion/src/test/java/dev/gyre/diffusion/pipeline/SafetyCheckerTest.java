package dev.gyre.diffusion.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.diffusion.References;
import dev.gyre.diffusion.Variants;
import dev.gyre.diffusion.adapter.SafetyChecker;
import dev.gyre.diffusion.image.Image;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A tiny safety checker of hashed weights, against diffusers'. */
class SafetyCheckerTest {
    private static final References GOLDEN = References.of("pictures.safetensors");

    @TempDir
    private Path folder;

    private Path write(UnaryOperator<String> rename) throws IOException {
        return Variants.checker(folder.resolve("checker.safetensors"), rename);
    }

    private static Image[] images() {
        byte[] half = new byte[3 * 128 * 128], ramp = new byte[3 * 300 * 200];
        for (int i = 0; i < half.length; i++) half[i] = (byte) (i / 3 % 128 >= 64 ? 255 : 0);
        int[][] steps = {{1, 2}, {3, 1}, {2, 2}};
        for (int i = 0; i < ramp.length; i++)
            ramp[i] = (byte) (i / 3 / 200 * steps[i % 3][0] + i / 3 % 200 * steps[i % 3][1]);
        return new Image[] {References.image("circle.png"), Image.of(128, 128, half), Image.of(200, 300, ramp)};
    }

    @Test
    void seesWhatDiffusersSees() throws IOException {
        try (SafetyChecker checker = SafetyChecker.open(write(key -> key))) {
            float[] pixels = new float[3 * 3 * 28 * 28], concepts = new float[3 * 17], special = new float[3 * 3];
            Image[] images = images();
            float[] flags = GOLDEN.file().floats("safety.flags");
            int found = 0;
            for (int n = 0; n < 3; n++) {
                float[] all = checker.pixels(images[n]);
                for (int i = 0; i < 3 * 28 * 28; i++)
                    pixels[n * 3 * 28 * 28 + i] = all[(i / 784 * 224 + i / 28 % 28 * 8) * 224 + i % 28 * 8];
                float[] view = checker.view(images[n]);
                double[] c = checker.beyond(view, "concept_embeds"), s = checker.beyond(view, "special_care_embeds");
                for (int i = 0; i < 17; i++) concepts[n * 17 + i] = (float) c[i];
                for (int i = 0; i < 3; i++) special[n * 3 + i] = (float) s[i];
                assertEquals(flags[n] == 1, checker.flags(images[n]), "picture " + n);
                if (flags[n] == 1) found++;
            }
            // PIL rounds between the two directions: two levels of 255, in deviations of 0.26.
            GOLDEN.check("safety.pixels", pixels, 2 / 255f / 0.26);
            GOLDEN.check("safety.concepts", concepts, 2e-3);
            GOLDEN.check("safety.special", special, 2e-3);
            assertTrue(found > 0, "the reference finds nothing: nothing is tested");
        }
    }

    @Test
    void theOlderSpellingWorksAndWhatIsMissingIsNamed() throws IOException {
        try (SafetyChecker checker =
                SafetyChecker.open(write(key -> key.replaceFirst("^vision_model", "vision_model.vision_model")))) {
            assertEquals(GOLDEN.file().floats("safety.flags")[0] == 1, checker.flags(images()[0]));
        }
        Path gaps = write(key -> key.equals("vision_model.post_layernorm.bias") ? "other" : key);
        Exception e = assertThrows(IllegalArgumentException.class, () -> SafetyChecker.open(gaps));
        assertTrue(e.getMessage().contains("vision_model.post_layernorm.bias: missing, expected [64]"), e.getMessage());
        Exception none = assertThrows(
                IllegalArgumentException.class,
                () -> SafetyChecker.open(References.copy("lora-kohya.safetensors", folder)));
        assertTrue(none.getMessage().startsWith("lora-kohya: not a safety checker"), none.getMessage());
    }
}
