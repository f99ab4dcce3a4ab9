package dev.gyre.diffusion.sampler;

/**
 * How much of a picture is left at each of the 1000 timesteps that Stable Diffusion was trained on. With ᾱ the part of the signal,
 * x_t = √ᾱ x₀ + √(1 − ᾱ) ε. All in double precision.
 */
public final class NoiseSchedule {
    /** Timesteps of training. */
    public static final int TIMESTEPS = 1000;

    /** Stable Diffusion's. */
    static final NoiseSchedule SD = new NoiseSchedule();

    private final double[] alphasCumprod = new double[TIMESTEPS];
    private final double[] logSigmas = new double[TIMESTEPS];

    /** β grows from 0.00085 to 0.012, evenly in √β (v1-inference.yaml calls that linear, diffusers scaled linear). */
    public NoiseSchedule() {
        double first = Math.sqrt(0.00085), last = Math.sqrt(0.0120), product = 1;
        for (int t = 0; t < TIMESTEPS; t++) {
            double root = first + (last - first) * t / (TIMESTEPS - 1);
            product *= 1 - root * root;
            alphasCumprod[t] = product;
            logSigmas[t] = Math.log(sigmaAt(t));
        }
    }

    /** ᾱ at a whole timestep from 0 to 999; before the first, that of the first (the original's {@code set_alpha_to_one=False}). */
    public double alphaCumprod(int t) {
        return alphasCumprod[Math.max(0, t)];
    }

    /** Noise over signal, √((1 − ᾱ) / ᾱ); between whole timesteps on the straight line between their σ, as diffusers has it. */
    public double sigma(double t) {
        int below = below(t), above = Math.min(below + 1, TIMESTEPS - 1);
        return sigmaAt(below) + (t - below) * (sigmaAt(above) - sigmaAt(below));
    }

    /** Likewise, but on the straight line between logarithms, as k-diffusion has it. */
    public double sigmaByLog(double t) {
        int below = below(t), above = Math.min(below + 1, TIMESTEPS - 1);
        return Math.exp(logSigmas[below] + (t - below) * (logSigmas[above] - logSigmas[below]));
    }

    /** The timestep of a σ, on straight lines between the logarithms of whole timesteps' σ; 0 to 999. */
    public double timestep(double sigma) {
        double log = Math.log(sigma);
        if (!(log > logSigmas[0])) return 0;
        int below = 0, above = TIMESTEPS - 1;
        if (log >= logSigmas[above]) return above;
        while (above - below > 1) {
            int middle = (below + above) / 2;
            if (logSigmas[middle] <= log) below = middle;
            else above = middle;
        }
        return below + (log - logSigmas[below]) / (logSigmas[above] - logSigmas[below]);
    }

    private static int below(double t) {
        return Math.clamp((long) Math.floor(t), 0, TIMESTEPS - 1);
    }

    private double sigmaAt(int t) {
        return Math.sqrt((1 - alphasCumprod[t]) / alphasCumprod[t]);
    }
}
