package dev.gyre.diffusion.sampler;

/**
 * How much of a picture is left at each of the 1000 timesteps that Stable Diffusion was trained on. With ᾱ the part of the signal,
 * x_t = √ᾱ x₀ + √(1 − ᾱ) ε. All in double precision.
 */
public final class NoiseSchedule {
    /** Timesteps of training. */
    public static final int TIMESTEPS = 1000;

    private final double[] alphasCumprod = new double[TIMESTEPS];

    /** β grows from 0.00085 to 0.012, evenly in √β (v1-inference.yaml calls that linear, diffusers scaled linear). */
    public NoiseSchedule() {
        double first = Math.sqrt(0.00085), last = Math.sqrt(0.0120), product = 1;
        for (int t = 0; t < TIMESTEPS; t++) {
            double root = first + (last - first) * t / (TIMESTEPS - 1);
            product *= 1 - root * root;
            alphasCumprod[t] = product;
        }
    }

    /** ᾱ at a whole timestep from 0 to 999; before the first, that of the first (the original's {@code set_alpha_to_one=False}). */
    public double alphaCumprod(int t) {
        return alphasCumprod[Math.max(0, t)];
    }

    /** Noise over signal, √((1 − ᾱ) / ᾱ); between whole timesteps on the straight line between their σ, as diffusers has it. */
    public double sigma(double t) {
        int below = Math.clamp((long) Math.floor(t), 0, TIMESTEPS - 1), above = Math.min(below + 1, TIMESTEPS - 1);
        return sigmaAt(below) + (t - below) * (sigmaAt(above) - sigmaAt(below));
    }

    private double sigmaAt(int t) {
        return Math.sqrt((1 - alphasCumprod[t]) / alphasCumprod[t]);
    }

    /** {@code leading} timesteps, noisiest first: k · ⌊1000 / steps⌋ + 1 (Stable Diffusion's {@code steps_offset} is 1). */
    public static int[] leading(int steps) {
        int stride = TIMESTEPS / checked(steps);
        int[] timesteps = new int[steps];
        // At 1000 steps the offset would leave the schedule.
        for (int k = 0; k < steps; k++) timesteps[steps - 1 - k] = Math.min(k * stride + 1, TIMESTEPS - 1);
        return timesteps;
    }

    /** {@code linspace} timesteps, noisiest first: from 999 to 0 in even steps, whole or not. A single step is taken from 999. */
    public static double[] linspace(int steps) {
        checked(steps);
        double[] timesteps = new double[steps];
        for (int k = 0; k < steps; k++)
            timesteps[k] = steps == 1 ? TIMESTEPS - 1 : (TIMESTEPS - 1) * (double) (steps - 1 - k) / (steps - 1);
        return timesteps;
    }

    private static int checked(int steps) {
        if (steps < 1 || steps > TIMESTEPS)
            throw new IllegalArgumentException("the number of steps is 1 to " + TIMESTEPS + ", got " + steps);
        return steps;
    }
}
