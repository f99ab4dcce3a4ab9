package dev.gyre.server.api;

import dev.gyre.server.http.ApiError;
import java.lang.System.Logger.Level;
import java.util.Map;

/** What the model says when it cannot draw. Its sentences begin with what they are about. */
final class ModelError {
    private static final System.Logger LOG = System.getLogger(ModelError.class.getName());

    /** Fields by what the model calls them. */
    private static final Map<String, String> FIELDS = Map.of(
            "strength", "strength",
            "steps", "num_inference_steps",
            "guidance", "guidance_scale",
            "size", "size",
            "clip skip", "clip_skip",
            "the mask is black everywhere", "mask",
            "lora", "lora");

    private ModelError() {}

    /** Of what was asked for. */
    static ApiError of(IllegalArgumentException e) {
        String message = String.valueOf(e.getMessage());
        int colon = message.indexOf(':');
        return ApiError.invalid(FIELDS.get(message.substring(0, Math.max(0, colon))), message);
    }

    /** Of something that would go wrong again. */
    static ApiError internal(Throwable cause) {
        LOG.log(Level.ERROR, "a drawing failed", cause);
        return ApiError.internal("The picture could not be drawn: " + cause.getMessage());
    }
}
