package dev.gyre.diffusion.sampler;

/**
 * How much of the clean sample is left at each of the 1000 timesteps that a model was trained on: with ᾱ the share of the signal's
 * variance, x_t = √ᾱ x₀ + √(1 − ᾱ) ε. All in double precision.
 */
public final class NoiseSchedule {
    /** Timesteps of training. */
    public static final int TIMESTEPS = 1000;

    /** Stands for ᾱ = 0, where σ would be infinite, as in diffusers: σ is 4096. */
    private static final double NO_SIGNAL = 0x1p-24;

    private final double[] alphasCumprod;
    private final double[] logSigmas = new double[TIMESTEPS];
    private final boolean zeroTerminalSnr;

    private NoiseSchedule(double[] alphasCumprod, boolean zeroTerminalSnr) {
        this.alphasCumprod = alphasCumprod;
        this.zeroTerminalSnr = zeroTerminalSnr;
        for (int t = 0; t < TIMESTEPS; t++) logSigmas[t] = Math.log(sigmaAt(t));
    }

    /** Stable Diffusion's: β grows from 0.00085 to 0.012. */
    public NoiseSchedule() {
        this(scaledLinear(0.00085, 0.0120), false);
    }

    /** β grows evenly in √β; v1-inference.yaml calls that linear, diffusers scaled linear. */
    private static double[] scaledLinear(double start, double end) {
        double first = Math.sqrt(start), last = Math.sqrt(end), product = 1;
        double[] alphasCumprod = new double[TIMESTEPS];
        for (int t = 0; t < TIMESTEPS; t++) {
            double root = first + (last - first) * t / (TIMESTEPS - 1);
            product *= 1 - root * root;
            alphasCumprod[t] = product;
        }
        return alphasCumprod;
    }

    /**
     * This schedule with no signal left at the last timestep: √ᾱ shifted to 0 there and scaled to what it was at the first (Lin et al.
     * 2024, algorithm 1).
     */
    public NoiseSchedule zeroTerminalSnr() {
        double first = Math.sqrt(alphasCumprod[0]), last = Math.sqrt(alphasCumprod[TIMESTEPS - 1]);
        double[] rescaled = new double[TIMESTEPS];
        for (int t = 0; t < TIMESTEPS; t++)
            rescaled[t] = Math.pow((Math.sqrt(alphasCumprod[t]) - last) * first / (first - last), 2);
        rescaled[TIMESTEPS - 1] = NO_SIGNAL;
        return new NoiseSchedule(rescaled, true);
    }

    /** Whether no signal is left at the last timestep. */
    public boolean isZeroTerminalSnr() {
        return zeroTerminalSnr;
    }

    /** ᾱ at a whole timestep from 0 to 999; before the first, that of the first (the original's {@code set_alpha_to_one=False}). */
    public double alphaCumprod(int t) {
        return alphasCumprod[Math.max(0, t)];
    }

    /** Noise over signal, √((1 − ᾱ) / ᾱ); between whole timesteps linear in σ, as diffusers has it. */
    public double sigma(double t) {
        int below = below(t), above = Math.min(below + 1, TIMESTEPS - 1);
        return sigmaAt(below) + (t - below) * (sigmaAt(above) - sigmaAt(below));
    }

    /** Likewise, but linear in log σ, as k-diffusion has it. */
    public double sigmaByLog(double t) {
        int below = below(t), above = Math.min(below + 1, TIMESTEPS - 1);
        return Math.exp(logSigmas[below] + (t - below) * (logSigmas[above] - logSigmas[below]));
    }

    /** The timestep of a σ, linear in log σ between whole timesteps; 0 to 999. */
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
