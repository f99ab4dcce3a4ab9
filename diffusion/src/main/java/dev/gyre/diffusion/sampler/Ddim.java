package dev.gyre.diffusion.sampler;

import java.util.List;

/**
 * Denoising diffusion implicit models (Song, Meng and Ermon 2020), equation 12: the predicted clean sample, noised again to the next
 * level. The noise of the first timestep is left at the end, as in the original.
 *
 * @param eta 0 adds no noise, 1 as much as DDPM
 */
public record Ddim(double eta) implements Stochastic {
    /** @throws IllegalArgumentException when η is not 0 to 1 */
    public Ddim {
        Stochastic.check(eta);
    }

    @Override
    public Stepper stepper(SamplingRun run) {
        return (i, x) -> {
            Ancestral to = Ancestral.between(run.sigma(i), run.sigma(i + 1), eta);
            double[] epsilon = run.epsilon(x, i), y = new double[x.length];
            for (int j = 0; j < y.length; j++) {
                double x0 = x[j] - run.sigma(i) * epsilon[j];
                y[j] = x0 + to.down() * epsilon[j];
            }
            return to.up(y, run);
        };
    }

    @Override
    public Sampler withEta(double eta) {
        return new Ddim(eta);
    }

    @Override
    public Schedule schedule() {
        return Spacing.LEADING;
    }

    @Override
    public Sigmas levels(Sigmas scheduled) {
        return scheduled.withoutSignal().endingAtFirstTimestep();
    }

    @Override
    public String displayName() {
        return "DDIM";
    }

    @Override
    public List<String> aliases() {
        return List.of("ddim", "DDIMScheduler");
    }
}
