package dev.gyre.diffusion.sampler;

import java.util.List;

/**
 * Ancestral sampling with Euler's method (k-diffusion's {@code sample_euler_ancestral}, η = 1): each step goes further down than the
 * next σ and comes back up with fresh noise. Linspace timesteps.
 */
public record EulerAncestral() implements Sampler {
    @Override
    public float[] sample(Model model, float[] noise, Noise random, int steps, Listener listener) {
        Flow flow = new Flow(steps);
        double[] x = flow.start(noise);
        for (int i = 0; i < steps; i++) {
            double s = flow.sigma(i), next = flow.sigma(i + 1);
            double up = Math.min(next, Math.sqrt(next * next * (s * s - next * next) / (s * s)));
            double down = Math.sqrt(next * next - up * up);
            float[] epsilon = flow.epsilon(model, x, i);
            float[] z = up > 0 ? random.next(x.length) : null;
            for (int j = 0; j < x.length; j++) x[j] += (down - s) * epsilon[j] + (z == null ? 0 : up * z[j]);
            listener.step(i + 1, steps);
        }
        return Sampler.floats(x);
    }

    @Override
    public String displayName() {
        return "Euler a";
    }

    @Override
    public List<String> aliases() {
        return List.of("euler_a", "EulerAncestralDiscreteScheduler");
    }
}
