package dev.gyre.diffusion.sampler;

import java.util.List;

/**
 * Ancestral sampling with Euler's method (k-diffusion's {@code sample_euler_ancestral}): each step goes past the next σ and
 * comes back up with fresh noise.
 *
 * @param eta how much noise: 1 as DDPM
 */
public record EulerAncestral(double eta) implements Stochastic {
    /** @throws IllegalArgumentException when η is not 0 to 1 */
    public EulerAncestral {
        Stochastic.check(eta);
    }

    @Override
    public Stepper stepper(SamplingRun run) {
        return (i, x) -> {
            Ancestral to = Ancestral.between(run.sigma(i), run.sigma(i + 1), eta);
            return to.up(Euler.along(x, run.epsilon(x, i), to.down() - run.sigma(i)), run);
        };
    }

    @Override
    public Sampler withEta(double eta) {
        return new EulerAncestral(eta);
    }

    @Override
    public Schedule schedule() {
        return Spacing.LINSPACE;
    }

    @Override
    public String displayName() {
        return "Euler a";
    }

    @Override
    public List<String> aliases() {
        return List.of("euler_a", "EulerAncestralDiscreteScheduler");
    }
}
