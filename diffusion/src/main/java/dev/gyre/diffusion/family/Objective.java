package dev.gyre.diffusion.family;

import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.sampler.Prediction;
import java.util.Map;
import java.util.Optional;

/**
 * What a checkpoint was trained for, as trainers say it: in metadata, which a diffusers folder's scheduler becomes, or by empty tensors
 * that mark it. What the user says goes before the metadata, that before the markers, and those before the family.
 *
 * @param prediction what the UNet predicts
 * @param zeroTerminalSnr whether no signal was left at the last timestep (Lin et al. 2024)
 * @param trailing whether sampling has to start at the last timestep
 */
record Objective(Prediction prediction, boolean zeroTerminalSnr, boolean trailing) {
    private static final String V_MARKER = "v_pred", ZERO_SNR_MARKER = "ztsnr";

    /**
     * @param wanted what the user says
     * @param usual what the family predicts where nothing is said
     * @throws IllegalArgumentException when the metadata names a prediction that is not supported, or what is said contradicts itself
     */
    static Objective of(Checkpoint file, Optional<Prediction> wanted, Prediction usual) {
        Map<String, String> metadata = file.metadata();
        Prediction prediction = wanted.or(() -> said(file))
                .or(() -> file.has(V_MARKER) ? Optional.of(Prediction.V) : Optional.empty())
                .orElse(usual);
        String zero = metadata.get(Checkpoint.ZERO_TERMINAL_SNR);
        boolean zeroTerminalSnr = zero == null ? file.has(ZERO_SNR_MARKER) : Boolean.parseBoolean(zero);
        if (zeroTerminalSnr && prediction != Prediction.V)
            throw new IllegalArgumentException(
                    file.name() + ": trained to zero terminal SNR, where a UNet has to predict v, got "
                            + prediction.label() + ": of pure noise, the noise says nothing of the picture");
        boolean trailing = zeroTerminalSnr || "trailing".equals(metadata.get(Checkpoint.TIMESTEP_SPACING));
        return new Objective(prediction, zeroTerminalSnr, trailing);
    }

    private static Optional<Prediction> said(Checkpoint file) {
        try {
            return Optional.ofNullable(file.metadata().get(Checkpoint.PREDICTION_TYPE))
                    .map(Prediction::named);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(file.name() + ": " + e.getMessage(), e);
        }
    }
}
