package dev.gyre.diffusion;

import dev.gyre.diffusion.sampler.Sampler;
import java.util.List;

/**
 * The UNet under classifier-free guidance (Ho and Salimans 2022), as a sampler sees it. Where guidance is off, at a scale of 1 and below
 * and outside its part of the steps, the prompt alone is asked for, at half the cost.
 */
final class Guidance implements Sampler.Model {
    private final StableDiffusion sd;
    private final int height;
    private final int width;
    private final double scale;
    private final Request.Part part;
    private final Progress progress;
    private final float[] prompt;
    private final float[] both; // negative, then prompt; null where guidance is off

    Guidance(StableDiffusion sd, Request request, int height, int width, Progress progress) {
        this.sd = sd;
        this.height = height;
        this.width = width;
        this.progress = progress;
        scale = request.sampling().guidance().orElseThrow();
        part = request.sampling().guided();
        Request.Text text = request.text();
        boolean guided = scale > 1;
        prompt = sd.encodeText(List.of(text.prompt()), progress);
        both = guided ? sd.encodeText(List.of(text.negative(), text.prompt()), Progress.NONE) : null;
    }

    @Override
    public float[] epsilon(float[] x, Sampler.Moment at) {
        Drawing.check(progress);
        return both != null && part.has(at)
                ? sd.guided(x, at.timestep(), both, height, width, scale)
                : sd.unguided(x, at.timestep(), prompt, height, width);
    }
}
