package dev.gyre.diffusion.sampler;

import java.util.List;

/**
 * Denoising diffusion implicit models (Song, Meng and Ermon 2020), equation 12: the sample predicted, then noised again to the next
 * timestep. Leading timesteps.
 *
 * @param eta 0 takes no noise on the way, 1 as much as the original diffusion
 */
public record Ddim(double eta) implements Sampler {
    @Override
    public float[] sample(Model model, float[] noise, Noise random, int steps, Listener listener) {
        NoiseSchedule schedule = new NoiseSchedule();
        int[] timesteps = NoiseSchedule.leading(steps);
        double[] x = Sampler.doubles(noise);
        for (int i = 0; i < steps; i++) {
            int t = timesteps[i], previous = t - NoiseSchedule.TIMESTEPS / steps;
            double a = schedule.alphaCumprod(t), next = schedule.alphaCumprod(previous);
            double s = eta * Math.sqrt((1 - next) / (1 - a)) * Math.sqrt(1 - a / next);
            float[] epsilon = model.epsilon(Sampler.floats(x), t);
            float[] z = s > 0 ? random.next(x.length) : null;
            double direction = Math.sqrt(1 - next - s * s);
            for (int j = 0; j < x.length; j++) {
                double x0 = (x[j] - Math.sqrt(1 - a) * epsilon[j]) / Math.sqrt(a);
                x[j] = Math.sqrt(next) * x0 + direction * epsilon[j] + (z == null ? 0 : s * z[j]);
            }
            listener.step(i + 1, steps);
        }
        return Sampler.floats(x);
    }

    @Override
    public String displayName() {
        return "DDIM";
    }

    @Override
    public List<String> aliases() {
        return List.of("ddim", "DDIMScheduler");
    }
}
