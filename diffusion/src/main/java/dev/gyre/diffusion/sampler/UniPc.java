package dev.gyre.diffusion.sampler;

import java.util.List;

/**
 * UniPC (Zhao et al. 2023), order 2 with B(h) = e^(−h) − 1 ("bh2") on the clean sample m, as diffusers runs it: every state but the first
 * is corrected after its network evaluation, at no further cost, before the next is predicted from it. g = −h, φ = e^g − 1.
 */
public record UniPc() implements Sampler {
    @Override
    public Stepper stepper(SamplingRun run) {
        return new Stepper() {
            private double[] start; // the corrected state at level i − 1
            private double[] last; // m at level i − 1
            private double[] lastButOne;

            @Override
            public double[] step(int i, double[] x) {
                double[] m = run.denoised(x, i);
                double[] corrected = i == 0 ? x : correct(i - 1, m);
                start = corrected;
                lastButOne = last;
                last = m;
                return predict(i);
            }

            /** UniP: the first order step, and half of B times the slope of m between the last two levels. */
            private double[] predict(int i) {
                double[] y = Dpmpp.toward(last, start, run.sigma(i), run.sigma(i + 1));
                if (lastButOne == null || run.sigma(i + 1) == 0) return y;
                double r = ratio(i), b = Math.expm1(-Dpmpp.h(run, i));
                for (int j = 0; j < y.length; j++) y[j] -= b / 2 * (lastButOne[j] - last[j]) / r;
                return y;
            }

            /** UniC: level i + 1 again, now that m is known there. */
            private double[] correct(int i, double[] m) {
                double[] y = Dpmpp.toward(last, start, run.sigma(i), run.sigma(i + 1));
                double g = -Dpmpp.h(run, i), b = Math.expm1(g);
                if (lastButOne == null) {
                    for (int j = 0; j < y.length; j++) y[j] -= b / 2 * (m[j] - last[j]);
                    return y;
                }
                // ρ₁ + ρ₂ = b₁, r ρ₁ + ρ₂ = b₂ (the paper's equation 5 for two points)
                double r = ratio(i), phi1 = b / g - 1, phi2 = phi1 / g - 0.5;
                double b1 = phi1 / b, b2 = 2 * phi2 / b;
                double rho1 = (b1 - b2) / (1 - r), rho2 = b1 - rho1;
                for (int j = 0; j < y.length; j++)
                    y[j] -= b * (rho1 * (lastButOne[j] - last[j]) / r + rho2 * (m[j] - last[j]));
                return y;
            }

            /** Where level i − 1 lies, in steps of h from level i: negative. */
            private double ratio(int i) {
                return -Dpmpp.h(run, i - 1) / Dpmpp.h(run, i);
            }
        };
    }

    @Override
    public Sigmas levels(Sigmas scheduled) {
        return scheduled.atUnitVariance();
    }

    @Override
    public Schedule schedule() {
        return Spacing.TIME_UNIFORM;
    }

    @Override
    public String displayName() {
        return "UniPC";
    }

    @Override
    public List<String> aliases() {
        return List.of("unipc", "UniPCMultistepScheduler", "uni_pc");
    }
}
