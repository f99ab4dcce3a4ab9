package dev.gyre.diffusion.sampler;

import java.util.List;

/** Euler's method on the probability flow dx/dσ = ε (Karras et al. 2022, algorithm 2 without noise). Linspace timesteps. */
public record Euler() implements Sampler {
    @Override
    public float[] sample(Model model, float[] noise, Noise random, int steps, Listener listener) {
        Flow flow = new Flow(steps);
        double[] x = flow.start(noise);
        for (int i = 0; i < steps; i++) {
            double step = flow.sigma(i + 1) - flow.sigma(i);
            float[] epsilon = flow.epsilon(model, x, i);
            for (int j = 0; j < x.length; j++) x[j] += step * epsilon[j];
            listener.step(i + 1, steps);
        }
        return Sampler.floats(x);
    }

    @Override
    public String displayName() {
        return "Euler";
    }

    @Override
    public List<String> aliases() {
        return List.of("euler", "EulerDiscreteScheduler");
    }
}
