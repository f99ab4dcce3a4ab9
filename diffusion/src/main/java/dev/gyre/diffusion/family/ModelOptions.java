package dev.gyre.diffusion.family;

import dev.gyre.diffusion.sampler.Prediction;
import java.util.Optional;

/**
 * How a checkpoint is to be understood.
 *
 * @param ema whether the UNet's averaged weights are used, rather than the last
 * @param prediction what the UNet predicts; else what the file says, or the family does
 * @param family of which family it is; else the first that recognises it
 */
public record ModelOptions(boolean ema, Optional<Prediction> prediction, Optional<Family> family) {
    /** The last weights; all else as the file says. */
    public static final ModelOptions DEFAULT = new ModelOptions(false, Optional.empty(), Optional.empty());

    /** With the UNet's averaged weights, or the last. */
    public ModelOptions ema(boolean ema) {
        return new ModelOptions(ema, prediction, family);
    }

    /** With a UNet that predicts this, whatever the file says. */
    public ModelOptions prediction(Prediction prediction) {
        return new ModelOptions(ema, Optional.of(prediction), family);
    }

    /** With a checkpoint of this family, even one that {@link Family#ALL} does not have. */
    public ModelOptions family(Family family) {
        return new ModelOptions(ema, prediction, Optional.of(family));
    }
}
