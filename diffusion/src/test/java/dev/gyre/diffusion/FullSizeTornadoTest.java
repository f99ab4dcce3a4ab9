package dev.gyre.diffusion;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gyre.core.tornado.TornadoBackend;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.family.SyntheticCheckpoint;
import dev.gyre.jsafetensors.StoredType;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The references of {@link FullSizeTest} on the device that TornadoVM reaches, to ten times float32's error. */
@Tag("long")
class FullSizeTornadoTest {
    @TempDir
    static Path folder;

    private static StableDiffusion sd;
    private static JsonNode references;

    @BeforeAll
    static void load() throws IOException {
        assumeTrue(TornadoBackend.isAvailable(), "TornadoVM is not on this JVM: full-size networks are not tried");
        Path file = folder.resolve("synth-f32.safetensors");
        SyntheticCheckpoint.write(file, StoredType.F32, false);
        sd = StableDiffusion.load(Checkpoint.open(file), new TornadoBackend());
        references = FullSizeTest.references();
    }

    @AfterAll
    static void close() {
        if (sd != null) sd.close();
    }

    @Test
    void unet() {
        float[] x = FullSizeTest.given("golden.x", 2 * 4 * 64 * 64, Math.sqrt(3));
        float[] y = sd.predict(x, new float[] {981, 21}, FullSizeTest.context(2), 64, 64);
        FullSizeTest.check(references, "unet.eps", y, 10);
    }

    @Test
    void decoder() {
        float[] z = FullSizeTest.given("golden.latents", 4 * 64 * 64, Math.sqrt(3));
        FullSizeTest.check(references, "vae.decoded", sd.decode(z, 64, 64), 10);
    }
}
