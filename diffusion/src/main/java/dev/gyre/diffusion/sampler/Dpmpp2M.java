package dev.gyre.diffusion.sampler;

import java.util.List;

/** DPM-Solver++(2M) (Lu et al. 2022, algorithm 2): the clean sample extrapolated in λ from the last two. */
public record Dpmpp2M() implements Sampler {
    @Override
    public Stepper stepper(SamplingRun run) {
        return new Stepper() {
            private double[] last;

            @Override
            public double[] step(int i, double[] x) {
                double[] d = run.denoised(x, i), ahead = d;
                if (last != null && run.sigma(i + 1) > 0) {
                    double r = Dpmpp.h(run, i - 1) / Dpmpp.h(run, i);
                    ahead = new double[d.length];
                    for (int j = 0; j < d.length; j++) ahead[j] = (1 + 1 / (2 * r)) * d[j] - 1 / (2 * r) * last[j];
                }
                last = d;
                return Dpmpp.toward(ahead, x, run.sigma(i), run.sigma(i + 1));
            }
        };
    }

    @Override
    public Schedule schedule() {
        return Spacing.UNIFORM;
    }

    @Override
    public String displayName() {
        return "DPM++ 2M";
    }

    @Override
    public List<String> aliases() {
        return List.of("dpm++2m", "dpmpp_2m");
    }
}
