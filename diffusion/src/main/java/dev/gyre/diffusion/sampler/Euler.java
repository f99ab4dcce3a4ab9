package dev.gyre.diffusion.sampler;

import java.util.List;

/** Euler's method on the probability flow dx/dσ = ε (Karras et al. 2022, algorithm 2 without noise). */
public record Euler() implements Sampler {
    @Override
    public Stepper stepper(SamplingRun run) {
        return (i, x) -> along(x, run.epsilon(x, i), run.sigma(i + 1) - run.sigma(i));
    }

    /** x + h d. */
    static double[] along(double[] x, double[] d, double h) {
        double[] y = new double[x.length];
        for (int j = 0; j < y.length; j++) y[j] = x[j] + h * d[j];
        return y;
    }

    @Override
    public Schedule schedule() {
        return Spacing.LINSPACE;
    }

    @Override
    public String displayName() {
        return "Euler";
    }

    @Override
    public List<String> aliases() {
        return List.of("euler", "EulerDiscreteScheduler");
    }
}
