package dev.gyre.diffusion.sampler;

/** A sampler that may take noise on its way. */
public interface Stochastic extends Sampler {
    /** How much: 0 none, 1 as much as the original diffusion. */
    double eta();

    /** The same with another η. */
    Sampler withEta(double eta);

    /** @throws IllegalArgumentException when it is not 0 to 1 */
    static void check(double eta) {
        if (!(0 <= eta && eta <= 1)) throw new IllegalArgumentException("eta: 0 to 1, got " + eta);
    }
}
