package dev.gyre.experiments;

import dev.gyre.diffusion.request.Request;
import java.util.Collections;
import java.util.EnumMap;
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
public record Job(long row, Map<Setting, String> settings, Map<String, String> labels, Optional<Reference> reference) {
    /** A seed that nobody chose must not be another one after a break. */
    private static final Request BLANK = Request.of("").seed(0);

    /** Takes a copy. */
    public Job {
        Map<Setting, String> ordered = new EnumMap<>(Setting.class);
        ordered.putAll(settings);
        settings = Collections.unmodifiableMap(ordered);
    }

    /** @throws IllegalArgumentException when the settings make no sense together, naming the one */
    public Request request() {
        Request request = BLANK;
        for (Map.Entry<Setting, String> setting : settings.entrySet())
            request = setting.getKey().apply(request, setting.getValue());
        return request;
    }

    /** Without the settings that make no sense with the others. */
    Request nearest() {
        Request request = BLANK;
        for (Map.Entry<Setting, String> setting : settings.entrySet())
            try {
                request = setting.getKey().apply(request, setting.getValue());
            } catch (IllegalArgumentException e) {
                // The row's error says it.
            }
        return request;
    }
}
