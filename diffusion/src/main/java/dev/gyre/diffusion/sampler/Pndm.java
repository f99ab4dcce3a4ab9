package dev.gyre.diffusion.sampler;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;

/**
 * Pseudo numerical methods for diffusion models (Liu et al. 2022), the linear multistep form without Runge-Kutta steps that Stable
 * Diffusion calls PLMS: the noise is extrapolated from up to four predictions. The first step is taken twice, so the model is asked
 * once more than there are steps. Leading timesteps.
 */
public record Pndm() implements Sampler {
    @Override
    public float[] sample(Model model, float[] noise, Noise random, int steps, Listener listener) {
        NoiseSchedule schedule = new NoiseSchedule();
        int[] timesteps = NoiseSchedule.leading(steps);
        int stride = NoiseSchedule.TIMESTEPS / steps;
        double[] x = Sampler.doubles(noise);
        Deque<float[]> history = new ArrayDeque<>(); // newest first
        for (int i = 0; i < steps; i++) {
            int t = timesteps[i];
            float[] epsilon = model.epsilon(Sampler.floats(x), t);
            double[] e;
            if (i == 0) {
                // Where would this noise lead? The mean of both ends is the better slope.
                double[] ahead = transfer(x, Sampler.doubles(epsilon), schedule, t, t - stride);
                float[] second = model.epsilon(Sampler.floats(ahead), Math.max(0, t - stride));
                e = new double[x.length];
                for (int j = 0; j < e.length; j++) e[j] = ((double) epsilon[j] + second[j]) / 2;
            } else {
                e = extrapolate(epsilon, history);
            }
            history.addFirst(epsilon);
            if (history.size() > 3) history.removeLast();
            x = transfer(x, e, schedule, t, t - stride);
            listener.step(i + 1, steps);
        }
        return Sampler.floats(x);
    }

    /** Adams–Bashforth of the order that the history allows. */
    private static double[] extrapolate(float[] newest, Deque<float[]> history) {
        double[] c =
                switch (history.size()) {
                    case 1 -> new double[] {3 / 2.0, -1 / 2.0};
                    case 2 -> new double[] {23 / 12.0, -16 / 12.0, 5 / 12.0};
                    default -> new double[] {55 / 24.0, -59 / 24.0, 37 / 24.0, -9 / 24.0};
                };
        double[] e = new double[newest.length];
        for (int j = 0; j < e.length; j++) e[j] = c[0] * newest[j];
        Iterator<float[]> older = history.iterator();
        for (int k = 1; k < c.length; k++) {
            float[] epsilon = older.next();
            for (int j = 0; j < e.length; j++) e[j] += c[k] * epsilon[j];
        }
        return e;
    }

    /** Equation 11: from timestep t to an earlier one along the noise e. */
    private static double[] transfer(double[] x, double[] e, NoiseSchedule schedule, int t, int previous) {
        double a = schedule.alphaCumprod(t), next = schedule.alphaCumprod(previous);
        double scale = Math.sqrt(next / a);
        double along = (next - a) / (a * Math.sqrt(1 - next) + Math.sqrt(a * (1 - a) * next));
        double[] y = new double[x.length];
        for (int j = 0; j < y.length; j++) y[j] = scale * x[j] - along * e[j];
        return y;
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
