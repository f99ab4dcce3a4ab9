package dev.gyre.diffusion.pipeline;

import dev.gyre.diffusion.family.LatentSpace;
import dev.gyre.diffusion.sampler.Sampler;
import java.util.Arrays;

/**
 * The VAE's posterior of a picture: a diagonal Gaussian over its latents.
 *
 * @param moments mean, then log-variance, [2 · 4, height, width]
 * @param space the UNet's scale
 */
record Latents(float[] moments, LatentSpace space) {
    /** A sample at the UNet's scale. */
    float[] sample(Sampler.Noise random) {
        float[] z = random.next(moments.length / 2);
        for (int i = 0; i < z.length; i++) {
            double deviation = Math.exp(Math.clamp(moments[z.length + i], -30f, 20f) / 2.0);
            z[i] = (float) space.scaled(moments[i] + deviation * z[i]);
        }
        return z;
    }

    /** The mean at the UNet's scale. */
    float[] mean() {
        float[] z = Arrays.copyOf(moments, moments.length / 2);
        for (int i = 0; i < z.length; i++) z[i] = (float) space.scaled(z[i]);
        return z;
    }
}
