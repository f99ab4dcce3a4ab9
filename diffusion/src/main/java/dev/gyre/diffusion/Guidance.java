package dev.gyre.diffusion;

import dev.gyre.diffusion.sampler.Sampler;

/**
 * The UNet under classifier-free guidance (Ho and Salimans 2022), as a sampler sees it. Where guidance is off, at a scale of 1 and below
 * and outside its part of the steps, the prompt alone is asked for, at half the cost.
 */
final class Guidance implements Sampler.Model {
    private final Denoiser denoiser;
    private final double scale;
    private final Request.Part part;
    private final Progress progress;
    private final Conditioning text;

    Guidance(StableDiffusion sd, Request request, int height, int width, Conditioning text, Progress progress) {
        denoiser = new Denoiser(sd, request.network(), height, width, progress);
        this.text = text;
        this.progress = progress;
        scale = request.sampling().guidance().orElseThrow();
        part = request.sampling().guided();
    }

    @Override
    public float[] epsilon(float[] x, Sampler.Moment at) {
        Drawing.check(progress);
        return scale > 1 && part.has(at)
                ? denoiser.guided(x, at, text.both(at.step(), at.steps()), scale)
                : denoiser.unguided(x, at, text.prompt(at.step(), at.steps()));
    }

    Denoiser denoiser() {
        return denoiser;
    }
}
