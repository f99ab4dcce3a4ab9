package dev.gyre.diffusion.sampler;

import java.util.List;

/**
 * DPM-Solver++(2S) (Lu et al. 2022, algorithm 1) past the next level, then fresh noise: k-diffusion's
 * {@code sample_dpmpp_2s_ancestral}. λ = −ln σ.
 *
 * @param eta how much noise: 1 as DDPM
 */
public record Dpmpp2SAncestral(double eta) implements Stochastic {
    /** @throws IllegalArgumentException when η is not 0 to 1 */
    public Dpmpp2SAncestral {
        Stochastic.check(eta);
    }

    @Override
    public Stepper stepper(SamplingRun run) {
        return (i, x) -> {
            double sigma = run.sigma(i);
            Ancestral to = Ancestral.between(sigma, run.sigma(i + 1), eta);
            double[] d = run.denoised(x, i);
            if (to.down() == 0) return to.up(d.clone(), run);
            double middle = Math.sqrt(sigma * to.down()); // λ + h/2
            double[] u = Dpmpp.toward(d, x, sigma, middle);
            return to.up(Dpmpp.toward(run.denoisedAt(u, middle), x, sigma, to.down()), run);
        };
    }

    @Override
    public Sampler withEta(double eta) {
        return new Dpmpp2SAncestral(eta);
    }

    @Override
    public Schedule schedule() {
        return Spacing.UNIFORM;
    }

    @Override
    public String displayName() {
        return "DPM++ 2S a";
    }

    @Override
    public List<String> aliases() {
        return List.of("dpm++2s_a", "dpmpp_2s_ancestral");
    }
}
