package dev.gyre.experiments;

import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.settings.SettingValues;
import java.util.Map;
import java.util.Optional;

/**
 * One picture of a sweep.
 *
 * @param row of the results, from 0
 * @param settings that are not the model's defaults
 * @param labels the prompts' other columns
 * @param reference the picture to compare with
 */
public record Job(long row, SettingValues settings, Map<String, String> labels, Optional<Reference> reference) {
    /** The default seed is fixed: it must be the same when a sweep is resumed. */
    private static final Request BLANK = Request.of("").seed(0);

    /** @throws IllegalArgumentException when the settings do not go together, naming one */
    public Request request() {
        Request request = settings.apply(BLANK);
        if (request.noise().seed().isEmpty())
            throw new IllegalArgumentException("seed: -1 draws one at random, which a sweep cannot draw again");
        return request;
    }

    /** Without the settings that do not go with the others. */
    Request nearest() {
        return SettingValues.NONE.apply(BLANK, settings); // the row's error says which they are
    }
}
