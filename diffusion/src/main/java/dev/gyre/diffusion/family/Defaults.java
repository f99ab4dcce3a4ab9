package dev.gyre.diffusion.family;

import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.diffusion.sampler.Spacing;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * What a request has that leaves it to the model. What is empty is left to the table of settings.
 *
 * @param side of a square picture in pixels
 * @param largest the longest side that the model works at, in pixels; larger pictures are resized
 * @param steps of the sampler
 * @param guidance the scale of classifier-free guidance
 * @param sampler with its schedule
 * @param startsAtLast whether sampling has to start at the last timestep
 */
public record Defaults(
        int side,
        int largest,
        OptionalInt steps,
        OptionalDouble guidance,
        Optional<Sampler> sampler,
        boolean startsAtLast) {

    Defaults trailing() {
        return new Defaults(side, largest, steps, guidance, sampler, true);
    }

    /**
     * A sampler as this model needs it. One on leading timesteps by its own choice takes trailing ones where sampling has to start at the
     * last (Lin et al. 2024); one that was given a schedule keeps it.
     */
    public Sampler fitted(Sampler chosen) {
        boolean own = chosen.bare() == chosen;
        return startsAtLast && own && chosen.schedule() == Spacing.LEADING ? chosen.on(Spacing.TRAILING) : chosen;
    }
}
