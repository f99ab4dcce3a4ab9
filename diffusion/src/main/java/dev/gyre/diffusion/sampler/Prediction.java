package dev.gyre.diffusion.sampler;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** What a network was trained to predict in x_t = √ᾱ x₀ + √(1 − ᾱ) ε. */
public enum Prediction {
    /** The noise ε (Ho, Jain and Abbeel 2020). */
    EPSILON("epsilon", List.of("eps")) {
        @Override
        void solve(float[] predicted, double[] x, double sigma, double[] epsilon, double[] denoised) {
            for (int j = 0; j < x.length; j++) {
                epsilon[j] = predicted[j];
                denoised[j] = x[j] - sigma * epsilon[j];
            }
        }
    },

    /**
     * The velocity v = √ᾱ ε − √(1 − ᾱ) x₀ (Salimans and Ho 2022). Unlike ε it determines x₀ even where ᾱ is 0.
     */
    V("v", List.of("v_prediction", "v_pred", "velocity")) {
        @Override
        void solve(float[] predicted, double[] x, double sigma, double[] epsilon, double[] denoised) {
            double signal = 1 / Math.sqrt(sigma * sigma + 1), noise = sigma * signal; // √ᾱ and √(1 − ᾱ)
            for (int j = 0; j < x.length; j++) {
                double scaled = signal * x[j];
                epsilon[j] = noise * scaled + signal * predicted[j];
                denoised[j] = signal * scaled - noise * predicted[j];
            }
        }
    };

    private final String label;
    private final List<String> aliases;

    Prediction(String label, List<String> aliases) {
        this.label = label;
        this.aliases = aliases;
    }

    /**
     * The noise and the clean sample in a state x = x₀ + σ ε.
     *
     * @param predicted by the network for x / √(σ² + 1)
     */
    abstract void solve(float[] predicted, double[] x, double sigma, double[] epsilon, double[] denoised);

    /** Its name: {@code epsilon} or {@code v}. */
    public String label() {
        return label;
    }

    /**
     * The prediction of this name, in the spelling of a model's metadata, diffusers or stable-diffusion.cpp; case does not matter.
     *
     * @throws IllegalArgumentException listing all predictions
     */
    public static Prediction named(String name) {
        String wanted = name.toLowerCase(Locale.ROOT).replace('-', '_');
        return Arrays.stream(values())
                .filter(one -> one.label.equals(wanted) || one.aliases.contains(wanted))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("unknown prediction type \"" + name + "\"; there are "
                        + Arrays.stream(values()).map(Prediction::label).collect(Collectors.joining(", "))));
    }
}
