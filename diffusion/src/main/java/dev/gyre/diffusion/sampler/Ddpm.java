package dev.gyre.diffusion.sampler;

import java.util.List;

/**
 * Denoising diffusion probabilistic models (Ho, Jain and Abbeel 2020), equations 6 and 7: the mean of q(x' | x, x₀), and noise of its
 * variance.
 */
public record Ddpm() implements Sampler {
    @Override
    public Stepper stepper(SamplingRun run) {
        return (i, x) -> {
            double kept = Math.pow(run.sigma(i + 1) / run.sigma(i), 2); // of x; the rest is x₀
            double[] d = run.denoised(x, i), y = new double[x.length];
            for (int j = 0; j < y.length; j++) y[j] = (1 - kept) * d[j] + kept * x[j];
            return Ancestral.between(run.sigma(i), run.sigma(i + 1), 1).up(y, run);
        };
    }

    @Override
    public Sigmas levels(Sigmas scheduled) {
        return scheduled.withoutSignal().atUnitVariance();
    }

    @Override
    public Schedule schedule() {
        return Spacing.LEADING;
    }

    @Override
    public String displayName() {
        return "DDPM";
    }

    @Override
    public List<String> aliases() {
        return List.of("ddpm", "DDPMScheduler");
    }
}
