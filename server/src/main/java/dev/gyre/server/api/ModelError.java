package dev.gyre.server.api;

import dev.gyre.diffusion.settings.Setting;
import dev.gyre.diffusion.settings.Settings;
import dev.gyre.server.http.ApiError;
import java.lang.System.Logger.Level;
import java.util.Map;

/** Error responses for the model's exceptions, whose messages begin with their subject. */
final class ModelError {
    private static final System.Logger LOG = System.getLogger(ModelError.class.getName());

    /** Fields that are no settings, by the subjects of messages. */
    private static final Map<String, String> OTHERS = Map.of("the mask is black everywhere", "mask", "lora", "lora");

    private ModelError() {}

    /** For an invalid request. */
    static ApiError of(IllegalArgumentException e) {
        String message = String.valueOf(e.getMessage());
        int colon = message.indexOf(':');
        String field = Settings.about(message)
                .map(Setting::field)
                .orElseGet(() -> OTHERS.get(message.substring(0, Math.max(0, colon))));
        return ApiError.invalid(field, message);
    }

    /** For an error that would occur again. */
    static ApiError internal(Throwable cause) {
        LOG.log(Level.ERROR, "a drawing failed", cause);
        return ApiError.internal("The picture could not be drawn: " + cause.getMessage());
    }
}
