package dev.gyre.diffusion.sampler;

/** Formulas that the DPM-Solver++ family shares (Lu et al. 2022); λ = −ln σ is half the logarithm of the signal-to-noise ratio. */
final class Dpmpp {
    private Dpmpp() {}

    /** The exact step from σ to σ' for a constant clean sample D, equation 8: (σ'/σ) x − (e^(−h) − 1) D with h = λ' − λ. */
    static double[] toward(double[] d, double[] x, double sigma, double next) {
        double ratio = next / sigma; // e^(−h)
        double[] y = new double[x.length];
        for (int j = 0; j < y.length; j++) y[j] = ratio * x[j] - (ratio - 1) * d[j];
        return y;
    }

    /** h, infinite for the step to σ' = 0. */
    static double h(SamplingRun run, int i) {
        return Math.log(run.sigma(i) / run.sigma(i + 1));
    }
}
