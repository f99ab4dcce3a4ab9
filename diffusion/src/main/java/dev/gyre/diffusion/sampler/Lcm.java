package dev.gyre.diffusion.sampler;

import java.util.List;

/**
 * Latent consistency models (Luo et al. 2023, algorithm 3): the model's clean sample, by the boundary condition of consistency models,
 * noised again to the next level. For distilled models, with guidance 1 and few steps.
 */
public record Lcm() implements Sampler {
    private static final double SIGMA_DATA = 0.5;
    /** How timesteps are scaled in the boundary condition. */
    private static final double SCALE = 10;

    @Override
    public Stepper stepper(SamplingRun run) {
        return (i, x) -> {
            double sigma = run.sigma(i), t = SCALE * run.timestep(i);
            double skip = SIGMA_DATA * SIGMA_DATA / (t * t + SIGMA_DATA * SIGMA_DATA);
            double out = t / Math.sqrt(t * t + SIGMA_DATA * SIGMA_DATA);
            double[] d = run.denoised(x, i), y = new double[x.length];
            // The condition is on x at unit variance.
            for (int j = 0; j < y.length; j++) y[j] = out * d[j] + skip * x[j] / Math.sqrt(sigma * sigma + 1);
            return new Ancestral(0, run.sigma(i + 1)).up(y, run);
        };
    }

    @Override
    public Sigmas levels(Sigmas scheduled) {
        return scheduled.withoutSignal().atUnitVariance();
    }

    @Override
    public Schedule schedule() {
        return Spacing.LCM;
    }

    @Override
    public String displayName() {
        return "LCM";
    }

    @Override
    public List<String> aliases() {
        return List.of("lcm", "LCMScheduler");
    }
}
