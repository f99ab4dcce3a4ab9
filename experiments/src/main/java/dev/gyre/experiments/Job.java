package dev.gyre.experiments;

import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.settings.SettingValues;
import java.util.Map;
import java.util.Optional;

/**
 * One picture of a sweep.
 *
 * @param row of the results, from 0
 * @param settings what is not the model's default
 * @param labels the prompts' other columns
 * @param reference the picture to compare with
 */
public record Job(long row, SettingValues settings, Map<String, String> labels, Optional<Reference> reference) {
    /** A seed that nobody chose must not be another one after a break. */
    private static final Request BLANK = Request.of("").seed(0);

    /** @throws IllegalArgumentException when the settings make no sense together, naming the one */
    public Request request() {
        Request request = settings.apply(BLANK);
        if (request.noise().seed().isEmpty())
            throw new IllegalArgumentException("seed: -1 draws one at random, which a sweep cannot draw again");
        return request;
    }

    /** Without the settings that make no sense with the others. */
    Request nearest() {
        return SettingValues.NONE.apply(BLANK, settings); // the row's error says which they are
    }
}
