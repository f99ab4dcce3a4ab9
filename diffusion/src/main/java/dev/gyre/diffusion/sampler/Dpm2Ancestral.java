package dev.gyre.diffusion.sampler;

import java.util.List;

/**
 * {@link Dpm2} past the next level, then fresh noise: k-diffusion's {@code sample_dpm_2_ancestral}.
 *
 * @param eta how much noise: 1 as DDPM
 */
public record Dpm2Ancestral(double eta) implements Stochastic {
    /** @throws IllegalArgumentException when η is not 0 to 1 */
    public Dpm2Ancestral {
        Stochastic.check(eta);
    }

    @Override
    public Stepper stepper(SamplingRun run) {
        return (i, x) -> {
            Ancestral to = Ancestral.between(run.sigma(i), run.sigma(i + 1), eta);
            return to.up(Dpm2.to(to.down(), i, x, run), run);
        };
    }

    @Override
    public Sampler withEta(double eta) {
        return new Dpm2Ancestral(eta);
    }

    @Override
    public Schedule schedule() {
        return Spacing.LINSPACE;
    }

    @Override
    public String displayName() {
        return "DPM2 a";
    }

    @Override
    public List<String> aliases() {
        return List.of("dpm2_a", "KDPM2AncestralDiscreteScheduler", "dpm_2_ancestral");
    }
}
