package dev.gyre.diffusion.sampler;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;

/**
 * Pseudo numerical methods for diffusion models (Liu et al. 2022), the linear multistep form without Runge-Kutta steps that Stable
 * Diffusion calls PLMS: the noise is extrapolated from up to four predictions. The first step is taken twice, which is one
 * network evaluation more than there are steps. The transfer from one level to another along a noise, equation 11, is a straight line in σ.
 */
public record Pndm() implements Sampler {
    @Override
    public Stepper stepper(SamplingRun run) {
        Deque<double[]> history = new ArrayDeque<>(); // newest first
        return (i, x) -> {
            double h = run.sigma(i + 1) - run.sigma(i);
            double[] epsilon = run.epsilon(x, i), e;
            if (i == 0) {
                // The mean of the slopes at both ends, as Heun takes it.
                double[] second = run.epsilon(Euler.along(x, epsilon, h), 1);
                e = new double[x.length];
                for (int j = 0; j < e.length; j++) e[j] = (epsilon[j] + second[j]) / 2;
            } else {
                e = extrapolate(epsilon, history);
            }
            history.addFirst(epsilon);
            if (history.size() > 3) history.removeLast();
            return Euler.along(x, e, h);
        };
    }

    /** Adams–Bashforth of as high an order as the history allows. */
    private static double[] extrapolate(double[] newest, Deque<double[]> history) {
        double[] c =
                switch (history.size()) {
                    case 1 -> new double[] {3 / 2.0, -1 / 2.0};
                    case 2 -> new double[] {23 / 12.0, -16 / 12.0, 5 / 12.0};
                    default -> new double[] {55 / 24.0, -59 / 24.0, 37 / 24.0, -9 / 24.0};
                };
        double[] e = new double[newest.length];
        for (int j = 0; j < e.length; j++) e[j] = c[0] * newest[j];
        Iterator<double[]> older = history.iterator();
        for (int k = 1; k < c.length; k++) e = Euler.along(e, older.next(), c[k]);
        return e;
    }

    @Override
    public Schedule schedule() {
        return Spacing.LEADING;
    }

    @Override
    public Sigmas levels(Sigmas scheduled) {
        return scheduled.endingAtFirstTimestep();
    }

    @Override
    public String displayName() {
        return "PLMS";
    }

    @Override
    public List<String> aliases() {
        return List.of("plms", "pndm", "PNDMScheduler");
    }
}
