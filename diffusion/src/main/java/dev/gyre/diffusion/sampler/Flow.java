package dev.gyre.diffusion.sampler;

/** The state space of k-diffusion: x = x₀ + σ ε, with σ from about 14.6 down to 0 over linspace timesteps. */
final class Flow {
    private final double[] timesteps;
    private final double[] sigmas; // one more than steps: the last is 0

    Flow(int steps) {
        NoiseSchedule schedule = new NoiseSchedule();
        timesteps = NoiseSchedule.linspace(steps);
        sigmas = new double[steps + 1];
        for (int i = 0; i < steps; i++) sigmas[i] = schedule.sigma(timesteps[i]);
    }

    double sigma(int i) {
        return sigmas[i];
    }

    /** Noise at the size of the first σ. */
    double[] start(float[] noise) {
        double[] x = Sampler.doubles(noise);
        for (int j = 0; j < x.length; j++) x[j] *= sigmas[0];
        return x;
    }

    /** The model's prediction for x at step i; it sees x / √(σ² + 1), whose variance is 1. */
    float[] epsilon(Sampler.Model model, double[] x, int i) {
        double scale = 1 / Math.sqrt(sigmas[i] * sigmas[i] + 1);
        float[] scaled = new float[x.length];
        for (int j = 0; j < x.length; j++) scaled[j] = (float) (x[j] * scale);
        return model.epsilon(scaled, timesteps[i]);
    }
}
