package dev.gyre.diffusion.sampler;

import java.util.List;

/**
 * DPM-Solver++ of second order for the stochastic equation, with a midpoint (k-diffusion's {@code sample_dpmpp_sde}, r = ½). Its noise
 * is plain Gaussian: a tool that draws it from a Brownian tree gives another picture of the same quality.
 *
 * @param eta how much noise: 1 as DDPM
 */
public record DpmppSde(double eta) implements Stochastic {
    /** @throws IllegalArgumentException when η is not 0 to 1 */
    public DpmppSde {
        Stochastic.check(eta);
    }

    @Override
    public Stepper stepper(SamplingRun run) {
        return (i, x) -> {
            double sigma = run.sigma(i), next = run.sigma(i + 1);
            double[] d = run.denoised(x, i);
            if (next == 0) return d;
            double middle = Math.sqrt(sigma * next); // λ + h/2
            Ancestral half = Ancestral.between(sigma, middle, eta);
            double[] u = half.up(Dpmpp.toward(d, x, sigma, half.down()), run);
            double[] second = run.denoisedAt(u, middle);
            Ancestral whole = Ancestral.between(sigma, next, eta);
            return whole.up(Dpmpp.toward(second, x, sigma, whole.down()), run);
        };
    }

    @Override
    public Sampler withEta(double eta) {
        return new DpmppSde(eta);
    }

    @Override
    public Schedule schedule() {
        return Spacing.UNIFORM;
    }

    @Override
    public String displayName() {
        return "DPM++ SDE";
    }

    @Override
    public List<String> aliases() {
        return List.of("dpm++sde", "DPMSolverSDEScheduler", "dpmpp_sde");
    }
}
