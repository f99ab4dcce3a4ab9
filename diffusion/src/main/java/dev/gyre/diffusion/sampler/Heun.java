package dev.gyre.diffusion.sampler;

import java.util.List;

/** Heun's method on the probability flow (Karras et al. 2022, algorithm 1): the mean of the slopes at both ends of a step. */
public record Heun() implements Sampler {
    @Override
    public Stepper stepper(SamplingRun run) {
        return (i, x) -> {
            double h = run.sigma(i + 1) - run.sigma(i);
            double[] d = run.epsilon(x, i), y = Euler.along(x, d, h);
            if (run.sigma(i + 1) == 0) return y; // There is no slope at the end.
            double[] second = run.epsilon(y, i + 1);
            for (int j = 0; j < y.length; j++) y[j] = x[j] + h * (d[j] + second[j]) / 2;
            return y;
        };
    }

    @Override
    public Schedule schedule() {
        return Spacing.LINSPACE;
    }

    @Override
    public String displayName() {
        return "Heun";
    }

    @Override
    public List<String> aliases() {
        return List.of("heun", "HeunDiscreteScheduler");
    }
}
