package dev.gyre.diffusion.metadata;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.diffusion.Damage;
import dev.gyre.diffusion.DamagedFilesTest;
import dev.gyre.diffusion.References;
import dev.gyre.diffusion.Variants;
import dev.gyre.diffusion.file.FileId;
import dev.gyre.diffusion.image.Png;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pictures whose parameters somebody has edited: they are understood, or refused in a sentence that names the picture. */
public class DamagedParametersTest {
    public static final String OWN =
            """
            a cat <lora:style:0.5>, [red:blue:0.5]
            Negative prompt: ugly
            Steps: 20, Sampler: Euler a, Schedule type: Karras, CFG scale: 7.5, Seed: 5, Size: 64x72, Model: shapes, \
            Clip skip: 2, RNG: NV, Variation seed: 7, Variation seed strength: 0.25, ENSD: 31337, Eta: 0.5, Guided: 0.1-0.9, \
            Prompt syntax: plain, EMA: true, Precision: bf16, Weights: Q8_0, Backend: tornado, Drawn at: 32x32, \
            Denoising strength: 0.4, Begins with: circle.png [0123456789], Outpaint: "0,8,16,0", Mask: circle.png [0123456789], \
            Mask blur: 2.5, Inpaint area: Only masked, Masked area padding: 16, Lora 0: lora-kohya.safetensors [0123456789] 0.7, \
            ControlNet 0: "Model: control.safetensors [0123456789], Image: circle.png [0123456789], Weight: 0.8, \
            Guidance Start: 0.25, Guidance End: 1", Word 0: wobbly.safetensors [0123456789], VAE hash: 0123456789, \
            VAE: vae.safetensors, Safety checker: prude.safetensors [0123456789], Hires strength: 0.9, Hires upscale: 1.5, \
            Hires steps: 3, Hires upscaler: Lanczos, Tiling: True, DeepCache: 2:2, VAE tiling: True""";

    private static final String WEB_UI =
            """
            a <lora:lora-kohya:0.6> cat
            Negative prompt: blurry
            Steps: 25, Sampler: DPM++ 2M SDE Karras, CFG scale: 7, Seed: 965400086, Size: 512x768, Model hash: 1a189f0be6, \
            Model: v1-5-pruned, Clip skip: 2, ENSD: 31337, Denoising strength: 0.7, Hires upscale: 2, Hires upscaler: Latent, \
            Lora hashes: "lora-kohya: 0123456789ab", Version: v1.6.0""";

    private static final List<String> FILES =
            List.of("lora-kohya.safetensors", "wobbly.safetensors", "circle.png", "control.safetensors");

    @TempDir
    private static Path folder;

    @BeforeAll
    static void files() throws IOException {
        for (String name : FILES.subList(0, 3)) References.copy(name, folder);
        Variants.controlNet(folder.resolve("control.safetensors"), Variants.TINY.unet(), 1, key -> key);
    }

    @Test
    void areUnderstoodOrRefusedInASentence() throws IOException {
        damage(1, 1000);
    }

    @Test
    @Tag("long")
    void manyAreUnderstoodOrRefusedInASentence() throws IOException {
        damage(2, 50_000);
    }

    private static void damage(int seed, int rounds) throws IOException {
        Path file = folder.resolve("damaged.png");
        int understood = 0;
        for (int round = 0; round < rounds; round++) {
            Random random = new Random(1000003L * seed + round);
            String text = Damage.text(random.nextBoolean() ? OWN : WEB_UI, random);
            Files.write(file, Png.encode(8, 8, new byte[192], Optional.of(text)));
            try {
                if (isUnderstood(file)) understood++;
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + seed + ", text " + round + ": " + text, e);
            }
        }
        assertTrue(
                understood > rounds / 10 && understood < rounds * 9 / 10, understood + " of " + rounds + " understood");
    }

    private static Path find(FileId origin) throws IOException {
        if (!FILES.contains(origin.name())) throw new IOException("there is no " + origin.name());
        return folder.resolve(origin.name());
    }

    private static boolean isUnderstood(Path file) {
        Parameters parameters;
        try {
            parameters = Parameters.read(file);
        } catch (IOException e) {
            DamagedFilesTest.sentence(e, "damaged.png");
            return false;
        }
        try {
            OpenSources.open(parameters, DamagedParametersTest::find).close();
            return true;
        } catch (IOException | IllegalArgumentException e) {
            DamagedFilesTest.sentence(e, ""); // whoever asks for the files knows of what picture
            return false;
        }
    }
}
