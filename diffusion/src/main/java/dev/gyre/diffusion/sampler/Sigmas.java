package dev.gyre.diffusion.sampler;

import java.util.Arrays;

/**
 * The noise levels of a run. A state at level σ is x = x₀ + σ ε: the clean sample plus σ times standard normal noise (Karras et al.
 * 2022). Papers that write x_t = √ᾱ x₀ + √(1 − ᾱ) ε mean √(σ² + 1) · x_t with σ² = (1 − ᾱ) / ᾱ.
 *
 * @param noise the schedule that they lie on
 * @param timesteps the timestep at each level, 0 to 999, whole or not; one more than steps
 * @param sigmas falling; one more than steps: the last is the noise left at the end, 0 for most samplers
 * @param unitVariance whether pure noise starts at √(σ² + 1) ε, which has unit variance when scaled, rather than at σ ε
 */
public record Sigmas(NoiseSchedule noise, double[] timesteps, double[] sigmas, boolean unitVariance) {
    private static final double NO_SIGNAL = 0x1p24;

    /** @throws IllegalArgumentException when there are fewer than two levels, or not as many timesteps as sigmas */
    public Sigmas {
        if (sigmas.length < 2 || timesteps.length != sigmas.length)
            throw new IllegalArgumentException("levels: at least two, and as many timesteps as sigmas, got "
                    + timesteps.length + " and " + sigmas.length);
    }

    /** The levels of these timesteps, then 0. */
    static Sigmas at(NoiseSchedule noise, double[] timesteps, boolean unit) {
        double[] sigmas = new double[timesteps.length + 1];
        for (int i = 0; i < timesteps.length; i++) sigmas[i] = noise.sigma(timesteps[i]);
        return new Sigmas(noise, Arrays.copyOf(timesteps, sigmas.length), sigmas, unit);
    }

    /** These levels, then 0. */
    static Sigmas of(NoiseSchedule noise, double[] sigmas) {
        double[] timesteps = new double[sigmas.length + 1];
        for (int i = 0; i < sigmas.length; i++) timesteps[i] = noise.timestep(sigmas[i]);
        return new Sigmas(noise, timesteps, Arrays.copyOf(sigmas, timesteps.length), false);
    }

    /** The number of steps: one less than levels. */
    public int steps() {
        return sigmas.length - 1;
    }

    /** σ at level i, 0 to {@link #steps}. */
    public double sigma(int i) {
        return sigmas[i];
    }

    /** Without the first levels, for a start from an image. */
    public Sigmas from(int first) {
        return new Sigmas(
                noise,
                Arrays.copyOfRange(timesteps, first, timesteps.length),
                Arrays.copyOfRange(sigmas, first, sigmas.length),
                unitVariance);
    }

    /** With timesteps rounded at the same levels, and a start at unit variance, as diffusers' solvers have it. */
    Sigmas rounded() {
        double[] whole = Arrays.stream(timesteps).map(Math::rint).toArray();
        return new Sigmas(noise, whole, sigmas, true);
    }

    /** With a start at unit variance, and ending at the noise of the first timestep (ᾱ₀ rather than 1). */
    Sigmas endingAtFirstTimestep() {
        double[] left = sigmas.clone();
        left[left.length - 1] = noise.sigma(0);
        return new Sigmas(noise, timesteps, left, true);
    }

    /**
     * With the last timestep of a zero-terminal-SNR schedule exact to float32, where 1 + 1/σ is 1. For first-order steps only: those of
     * higher order depend on log σ or on σ itself.
     */
    Sigmas withoutSignal() {
        if (!noise.isZeroTerminalSnr() || timesteps[0] != NoiseSchedule.TIMESTEPS - 1) return this;
        double[] higher = sigmas.clone();
        higher[0] = NO_SIGNAL;
        return new Sigmas(noise, timesteps, higher, unitVariance);
    }

    Sigmas atUnitVariance() {
        return new Sigmas(noise, timesteps, sigmas, true);
    }

    /** Pure noise at the first level. */
    public double[] start(float[] noise) {
        double scale = unitVariance ? Math.sqrt(sigmas[0] * sigmas[0] + 1) : sigmas[0];
        double[] x = new double[noise.length];
        for (int j = 0; j < x.length; j++) x[j] = scale * noise[j];
        return x;
    }

    /** A clean sample with noise at the first level. */
    public double[] start(float[] clean, float[] noise) {
        double[] x = new double[noise.length];
        for (int j = 0; j < x.length; j++) x[j] = clean[j] + sigmas[0] * noise[j];
        return x;
    }

    /** The final state at the scale of the data. */
    float[] end(double[] x) {
        double last = sigmas[steps()], scale = 1 / Math.sqrt(last * last + 1);
        float[] y = new float[x.length];
        for (int j = 0; j < y.length; j++) y[j] = (float) (x[j] * scale);
        return y;
    }
}
