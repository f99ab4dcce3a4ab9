package dev.gyre.diffusion.sampler;

import java.util.List;

/**
 * DPM-Solver++(2M) for the stochastic equation (Lu et al. 2022, appendix; k-diffusion's {@code sample_dpmpp_2m_sde}, midpoint). Its
 * noise is plain Gaussian: a tool that draws it from a Brownian tree gives another picture of the same quality.
 *
 * @param eta how much noise: 1 as DDPM
 */
public record Dpmpp2MSde(double eta) implements Stochastic {
    /** @throws IllegalArgumentException when η is not 0 to 1 */
    public Dpmpp2MSde {
        Stochastic.check(eta);
    }

    @Override
    public Stepper stepper(SamplingRun run) {
        return new Stepper() {
            private double[] last;

            @Override
            public double[] step(int i, double[] x) {
                double next = run.sigma(i + 1);
                double[] d = run.denoised(x, i), before = last;
                last = d;
                if (next == 0) return d;
                double h = Dpmpp.h(run, i), g = h * (1 + eta);
                double slope = before == null ? 0 : h / Dpmpp.h(run, i - 1) / 2;
                double[] y = new double[x.length];
                for (int j = 0; j < y.length; j++) {
                    double ahead = before == null ? d[j] : d[j] + slope * (d[j] - before[j]);
                    y[j] = Math.exp(-g) * x[j] - Math.expm1(-g) * ahead;
                }
                return new Ancestral(0, next * Math.sqrt(-Math.expm1(-2 * eta * h))).up(y, run);
            }
        };
    }

    @Override
    public Sampler withEta(double eta) {
        return new Dpmpp2MSde(eta);
    }

    @Override
    public Schedule schedule() {
        return Spacing.UNIFORM;
    }

    @Override
    public String displayName() {
        return "DPM++ 2M SDE";
    }

    @Override
    public List<String> aliases() {
        return List.of("dpm++2m_sde", "dpmpp_2m_sde");
    }
}
