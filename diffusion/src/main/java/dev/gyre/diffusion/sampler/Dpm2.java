package dev.gyre.diffusion.sampler;

import java.util.List;

/**
 * The midpoint method on the probability flow with the middle taken in log σ, after DPM-Solver-2 (Lu et al. 2022) and algorithm 2 of
 * Karras et al. (2022): k-diffusion's {@code sample_dpm_2}.
 */
public record Dpm2() implements Sampler {
    @Override
    public Stepper stepper(SamplingRun run) {
        return (i, x) -> to(run.sigma(i + 1), i, x, run);
    }

    /** From level i down to any σ. */
    static double[] to(double next, int i, double[] x, SamplingRun run) {
        double sigma = run.sigma(i), middle = Math.sqrt(sigma * next);
        double[] d = run.epsilon(x, i);
        if (next == 0) return Euler.along(x, d, -sigma);
        double[] between = run.epsilonAt(Euler.along(x, d, middle - sigma), middle);
        return Euler.along(x, between, next - sigma);
    }

    @Override
    public Schedule schedule() {
        return Spacing.LINSPACE;
    }

    @Override
    public String displayName() {
        return "DPM2";
    }

    @Override
    public List<String> aliases() {
        return List.of("dpm2", "KDPM2DiscreteScheduler", "dpm_2");
    }
}
