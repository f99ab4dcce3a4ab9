package example;

import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.noise.TorchRandom;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.sampler.Sampler;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;

/** From one prompt to another with the same noise: the model's parts, called one by one. */
public final class Interpolation {
    private static final int SIDE = 16; // of the latents

    private Interpolation() {}

    /** @param args a folder to write to */
    public static void main(String[] args) throws IOException {
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            // [3, tokens, width]: the negative prompt's states, then the two prompts'.
            float[] states = sd.encodeText(
                    List.of("", "a red circle on a blue background", "a yellow star on a black background"),
                    Progress.NONE);
            int n = states.length / 3, frames = 5, pixels = 8 * SIDE;
            BufferedImage strip = new BufferedImage(frames * pixels, pixels, BufferedImage.TYPE_INT_RGB);
            for (int frame = 0; frame < frames; frame++) {
                float share = frame / (frames - 1f);
                float[] context = Arrays.copyOf(states, 2 * n);
                for (int i = 0; i < n; i++) context[n + i] = (1 - share) * states[n + i] + share * states[2 * n + i];
                float[] noise = new TorchRandom(42).next(4 * SIDE * SIDE);
                float[] latents = Sampler.named("ddim")
                        .sample(
                                (x, at) -> sd.guided(x, at.timestep(), context, SIDE, SIDE, 5),
                                noise,
                                count -> new float[count],
                                20,
                                done -> {});
                float[] picture = sd.decode(latents, SIDE, SIDE);
                for (int i = 0; i < pixels * pixels; i++) {
                    int rgb = 0;
                    for (int c = 0; c < 3; c++)
                        rgb = rgb << 8
                                | Math.clamp(Math.round(picture[c * pixels * pixels + i] * 127.5f + 127.5f), 0, 255);
                    strip.setRGB(frame * pixels + i % pixels, i / pixels, rgb);
                }
            }
            ImageIO.write(strip, "png", Path.of(args[0], "interpolation.png").toFile());
        }
    }
}
