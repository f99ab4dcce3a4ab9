package dev.gyre.diffusion.pipeline;

import dev.gyre.diffusion.family.ModelConfig;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.NoiseSchedule;
import dev.gyre.diffusion.sampler.Prediction;
import dev.gyre.diffusion.sampler.Sampler;

/**
 * The UNet under classifier-free guidance (Ho and Salimans 2022), as a sampler sees it. Where guidance is off, at a scale of 1 and below
 * and outside its interval, the UNet runs with the prompt alone, at half the cost.
 */
final class ClassifierFreeGuidance implements Sampler.Model {
    private final Denoiser denoiser;
    private final ModelConfig config;
    private final double scale;
    private final Request.StepRange interval;
    private final Progress progress;
    private final Conditioning text;

    ClassifierFreeGuidance(
            Denoiser denoiser, ModelConfig config, Request request, Conditioning text, Progress progress) {
        this.denoiser = denoiser;
        this.config = config;
        this.text = text;
        this.progress = progress;
        scale = request.sampling().guidance().orElseThrow();
        interval = request.sampling().guided();
    }

    @Override
    public float[] predict(float[] x, Sampler.StepInfo at) {
        Generation.check(progress);
        int pictures = denoiser.pictures(x);
        return scale > 1 && interval.has(at)
                ? denoiser.guided(x, at, text.both(at, pictures), scale)
                : denoiser.unguided(x, at, text.prompt(at, pictures));
    }

    @Override
    public Prediction prediction() {
        return config.prediction();
    }

    @Override
    public NoiseSchedule noise() {
        return config.noise();
    }

    /** The bytes of working memory that a step of so many pictures takes. */
    long plan(int pictures) {
        return denoiser.plan(scale > 1 ? 2 * pictures : pictures, text.tokens());
    }

    Denoiser denoiser() {
        return denoiser;
    }
}
