package dev.gyre.diffusion.sampler;

import java.util.List;
import java.util.Locale;

/**
 * A way from noise to a picture. The sampler drives: it asks the model for the noise in its current state, step by step. States are
 * flat and of any shape, in double precision; the model sees them rounded.
 */
public interface Sampler {
    /** The model, guidance included. */
    @FunctionalInterface
    interface Model {
        /**
         * The noise in {@code x}.
         *
         * @param x the state at unit variance, as the network was trained to see it
         * @param timestep 0 to 999, whole or not
         */
        float[] epsilon(float[] x, double timestep);
    }

    /** Where standard normal numbers come from. */
    @FunctionalInterface
    interface Noise {
        float[] next(int count);
    }

    /** Told of every step when it is done. */
    @FunctionalInterface
    interface Listener {
        /**
         * @param step from 1
         * @param steps how many there will be
         */
        void step(int step, int steps);
    }

    /** All samplers there are. */
    List<Sampler> ALL = List.of(new Ddim(0), new Pndm(), new Euler(), new EulerAncestral());

    /**
     * Draws a sample.
     *
     * @param noise standard normal, the size of the sample
     * @param random noise for each step, where the sampler takes any
     * @param steps 1 to 1000
     * @return the sample at the scale of the data
     */
    float[] sample(Model model, float[] noise, Noise random, int steps, Listener listener);

    /** The name in PNG parameters, AUTOMATIC1111's. */
    String displayName();

    /** Other tools' names for it: stable-diffusion.cpp's first, then diffusers'. */
    List<String> aliases();

    /** A state as the model sees it. */
    static float[] floats(double[] x) {
        float[] y = new float[x.length];
        for (int j = 0; j < y.length; j++) y[j] = (float) x[j];
        return y;
    }

    static double[] doubles(float[] x) {
        double[] y = new double[x.length];
        for (int j = 0; j < y.length; j++) y[j] = x[j];
        return y;
    }

    /**
     * The sampler of this name, in the spelling of diffusers, AUTOMATIC1111 or stable-diffusion.cpp; case does not matter.
     *
     * @throws IllegalArgumentException naming those there are
     */
    static Sampler named(String name) {
        String wanted = name.toLowerCase(Locale.ROOT);
        for (Sampler sampler : ALL) {
            if (sampler.displayName().toLowerCase(Locale.ROOT).equals(wanted)) return sampler;
            for (String alias : sampler.aliases())
                if (alias.toLowerCase(Locale.ROOT).equals(wanted)) return sampler;
        }
        throw new IllegalArgumentException("unknown sampler \"" + name + "\"; there are "
                + String.join(", ", ALL.stream().map(s -> s.aliases().get(0)).toList()));
    }
}
