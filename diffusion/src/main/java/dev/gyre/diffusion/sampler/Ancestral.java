package dev.gyre.diffusion.sampler;

/**
 * An ancestral step: down past the next level σ', then up to it with fresh noise, so that down² + up² = σ'².
 *
 * @param down the level that the step goes down to
 * @param up the standard deviation of the added noise
 */
record Ancestral(double down, double up) {
    /** Between two levels; η = 0 adds no noise, 1 as much as DDPM (k-diffusion's {@code get_ancestral_step}). */
    static Ancestral between(double sigma, double next, double eta) {
        double up = Math.min(next, eta * Math.sqrt(next * next * (sigma * sigma - next * next) / (sigma * sigma)));
        return new Ancestral(Math.sqrt(next * next - up * up), up);
    }

    /** Adds the noise in place; draws none where up is 0. */
    double[] up(double[] x, SamplingRun run) {
        if (up > 0) {
            float[] z = run.noise(x);
            for (int j = 0; j < x.length; j++) x[j] += up * z[j];
        }
        return x;
    }
}
