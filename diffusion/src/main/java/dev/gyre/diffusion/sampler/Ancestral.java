package dev.gyre.diffusion.sampler;

/**
 * A step that goes further down than the next level and comes back up with fresh noise, so that down² + up² = σ'².
 *
 * @param down the level gone down to
 * @param up how much noise is added
 */
record Ancestral(double down, double up) {
    /** Between two levels; η = 0 adds no noise, 1 as much as the original diffusion (k-diffusion's {@code get_ancestral_step}). */
    static Ancestral between(double sigma, double next, double eta) {
        double up = Math.min(next, eta * Math.sqrt(next * next * (sigma * sigma - next * next) / (sigma * sigma)));
        return new Ancestral(Math.sqrt(next * next - up * up), up);
    }

    /** Adds the noise, in place; draws none when there is none to add. */
    double[] up(double[] x, SamplingRun run) {
        if (up > 0) {
            float[] z = run.noise(x);
            for (int j = 0; j < x.length; j++) x[j] += up * z[j];
        }
        return x;
    }
}
