package dev.gyre.diffusion.sampler;

/** A sampler that may add noise in its steps. */
public interface Stochastic extends Sampler {
    /** How much noise: 0 none, 1 as much as DDPM. */
    double eta();

    @Override
    Sampler withEta(double eta);

    /** @throws IllegalArgumentException when it is not 0 to 1 */
    static void check(double eta) {
        if (!(0 <= eta && eta <= 1)) throw new IllegalArgumentException("eta: 0 to 1, got " + eta);
    }
}
