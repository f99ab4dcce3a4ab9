package dev.gyre.diffusion.sampler;

import java.util.List;

/**
 * DPM-Solver++(3M) for the stochastic equation (k-diffusion's {@code sample_dpmpp_3m_sde}): the clean sample extrapolated in λ from the
 * last three, by φ-functions of the step. Its noise is plain Gaussian: a tool that draws it from a Brownian tree gives another picture
 * of the same quality.
 *
 * @param eta how much noise: 1 as DDPM
 */
public record Dpmpp3MSde(double eta) implements Stochastic {
    /** @throws IllegalArgumentException when η is not 0 to 1 */
    public Dpmpp3MSde {
        Stochastic.check(eta);
    }

    @Override
    public Stepper stepper(SamplingRun run) {
        return new Stepper() {
            private double[] last;
            private double[] lastButOne;

            @Override
            public double[] step(int i, double[] x) {
                double next = run.sigma(i + 1);
                double[] d = run.denoised(x, i);
                if (next == 0) return d;
                double h = Dpmpp.h(run, i), g = h * (1 + eta);
                double[] y = new double[x.length];
                for (int j = 0; j < y.length; j++)
                    y[j] = Math.exp(-g) * x[j] - Math.expm1(-g) * d[j] + correction(i, j, d[j], g, run);
                lastButOne = last;
                last = d;
                return new Ancestral(0, next * Math.sqrt(-Math.expm1(-2 * eta * h))).up(y, run);
            }

            /** What the slope, and from the third step the curvature, of the clean sample add. */
            private double correction(int i, int j, double d, double g, SamplingRun run) {
                if (last == null) return 0;
                double h = Dpmpp.h(run, i), r0 = Dpmpp.h(run, i - 1) / h;
                double phi2 = Math.expm1(-g) / g + 1, phi3 = phi2 / g - 0.5;
                double slope = (d - last[j]) / r0;
                if (lastButOne == null) return phi2 * slope;
                double r1 = Dpmpp.h(run, i - 2) / h, older = (last[j] - lastButOne[j]) / r1;
                double first = slope + (slope - older) * r0 / (r0 + r1), second = (slope - older) / (r0 + r1);
                return phi2 * first - phi3 * second;
            }
        };
    }

    @Override
    public Sampler withEta(double eta) {
        return new Dpmpp3MSde(eta);
    }

    @Override
    public Schedule schedule() {
        return Spacing.UNIFORM;
    }

    @Override
    public String displayName() {
        return "DPM++ 3M SDE";
    }

    @Override
    public List<String> aliases() {
        return List.of("dpm++3m_sde", "dpmpp_3m_sde");
    }
}
