package dev.gyre.diffusion.sampler;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;

/**
 * The linear multistep method of Adams and Bashforth on the probability flow, order 4, on levels of any spacing: the slope is the
 * polynomial through the last slopes, integrated exactly (k-diffusion's {@code sample_lms}).
 */
public record Lms() implements Sampler {
    private static final int ORDER = 4;

    @Override
    public Stepper stepper(SamplingRun run) {
        Deque<double[]> slopes = new ArrayDeque<>(); // newest first
        return (i, x) -> {
            slopes.addFirst(run.epsilon(x, i));
            if (slopes.size() > ORDER) slopes.removeLast();
            double[] y = x;
            Iterator<double[]> newest = slopes.iterator();
            for (int j = 0; j < slopes.size(); j++)
                y = Euler.along(y, newest.next(), coefficient(run, i, j, slopes.size()));
            return y;
        };
    }

    /** ∫ over the step of the Lagrange polynomial that is 1 at level i − j; Gauss' two points are exact up to degree 3. */
    private static double coefficient(SamplingRun run, int i, int j, int order) {
        double middle = (run.sigma(i) + run.sigma(i + 1)) / 2, half = (run.sigma(i + 1) - run.sigma(i)) / 2;
        double at = half / Math.sqrt(3);
        return half * (lagrange(run, i, j, order, middle - at) + lagrange(run, i, j, order, middle + at));
    }

    private static double lagrange(SamplingRun run, int i, int j, int order, double sigma) {
        double product = 1;
        for (int k = 0; k < order; k++)
            if (k != j) product *= (sigma - run.sigma(i - k)) / (run.sigma(i - j) - run.sigma(i - k));
        return product;
    }

    @Override
    public Schedule schedule() {
        return Spacing.LINSPACE;
    }

    @Override
    public String displayName() {
        return "LMS";
    }

    @Override
    public List<String> aliases() {
        return List.of("lms", "LMSDiscreteScheduler");
    }
}
