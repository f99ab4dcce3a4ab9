package dev.gyre.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gyre.core.Profiler;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.core.tornado.DeviceListener;
import dev.gyre.core.tornado.TornadoBackend;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.noise.TorchRandom;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.sampler.Sampler;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The embedded model on the device that TornadoVM reaches: the JVM's picture, and what later runs cost. */
class EmbeddedModelTornadoTest {
    private static final int SIDE = 16, STEPS = 20;

    private static final List<DeviceListener.Ready> READY = new ArrayList<>();
    private static final List<DeviceListener.Run> RUNS = new ArrayList<>();

    private static TornadoBackend backend;
    private static StableDiffusion device;
    private static StableDiffusion jvm;

    @BeforeAll
    static void load() {
        assumeTrue(TornadoBackend.isAvailable(), "TornadoVM is not on this JVM: no picture is drawn on a device");
        DeviceListener listener = new DeviceListener() {
            @Override
            public void compiled(Ready ready) {
                READY.add(ready);
            }

            @Override
            public void ran(Run run) {
                RUNS.add(run);
            }
        };
        backend = new TornadoBackend(TornadoBackend.Options.DEFAULT.measured(listener, Profiler.NONE));
        device = StableDiffusion.load(Checkpoint.embedded(), backend);
        jvm = StableDiffusion.load(Checkpoint.embedded(), new JvmBackend());
    }

    @AfterAll
    static void close() {
        if (device == null) return;
        jvm.close();
        device.close();
        assertEquals(0, backend.deviceBytes());
    }

    @Test
    void thePictureIsTheJvmsAndLaterRunsCompileAndUploadNothing() {
        float[] expected = picture(jvm), actual = picture(device);
        Close.within(1e-3, expected, actual, "the picture");

        // The text's graph, the UNet's and the decoder's.
        assertEquals(3, READY.size());
        assertEquals(1 + STEPS + 1, RUNS.size());
        DeviceListener.Ready unet = READY.get(1);
        long out = 4L * 2 * 4 * SIDE * SIDE, in = unet.trafficBytes() - out;
        for (DeviceListener.Run run : RUNS.subList(2, 1 + STEPS)) {
            assertEquals(0, run.compileNanos());
            // The inputs, and of each array its header, and of each task its arguments.
            assertTrue(run.bytesIn() >= in && run.bytesIn() <= in + 256 + 24L * run.tasks(), "moved in: " + run);
            assertTrue(run.bytesOut() >= out && run.bytesOut() <= out + 64, "moved out: " + run);
        }
        long held = backend.deviceBytes();
        picture(device);
        assertEquals(3, READY.size(), "the second picture compiles nothing");
        assertEquals(held, backend.deviceBytes());
    }

    private static float[] picture(StableDiffusion sd) {
        float[] context = sd.encodeText(List.of("", "a red circle on a blue background"), Progress.NONE);
        TorchRandom random = new TorchRandom(42);
        float[] latents = Sampler.named("ddim")
                .sample(
                        (x, at) -> sd.guided(x, at.timestep(), context, SIDE, SIDE, 5),
                        random.next(4 * SIDE * SIDE),
                        random,
                        STEPS,
                        done -> {});
        return sd.decode(latents, SIDE, SIDE);
    }
}
