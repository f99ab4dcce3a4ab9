package dev.gyre.server.http;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.Optional;

/** An error response in OpenAI's shape: message, type, field and a code for programs. */
public final class ApiError extends RuntimeException {
    private static final long serialVersionUID = 1;
    private static final String INVALID = "invalid_request_error", SERVER = "server_error";

    private final int status;
    private final String type;
    private final String param; // null: no field
    private final String code;
    private final Duration retryAfter; // null: retrying does not help

    private ApiError(int status, String type, String param, String code, Duration retryAfter, String message) {
        super(message, null, false, false);
        this.status = status;
        this.type = type;
        this.param = param;
        this.code = code;
        this.retryAfter = retryAfter;
    }

    /** An invalid field. */
    public static ApiError invalid(String param, String message) {
        return new ApiError(400, INVALID, param, "invalid_value", null, message);
    }

    public static ApiError missing(String param) {
        return new ApiError(
                400,
                INVALID,
                param,
                "missing_required_parameter",
                null,
                "Missing required parameter: '" + param + "'.");
    }

    /** A request that cannot be parsed. */
    public static ApiError malformed(String message) {
        return new ApiError(400, INVALID, null, "invalid_request", null, message);
    }

    public static ApiError unauthorized(boolean some) {
        return new ApiError(
                401,
                INVALID,
                null,
                "invalid_api_key",
                null,
                some ? "Incorrect API key provided." : "An API key is needed: send Authorization: Bearer KEY.");
    }

    public static ApiError forbidden(String message) {
        return new ApiError(403, INVALID, null, "forbidden", null, message);
    }

    public static ApiError notFound(String message) {
        return new ApiError(404, INVALID, null, "not_found", null, message);
    }

    public static ApiError unknownModel(String model) {
        return new ApiError(
                404, INVALID, "model", "model_not_found", null, "The model '" + model + "' does not exist.");
    }

    public static ApiError method(String message) {
        return new ApiError(405, INVALID, null, "method_not_allowed", null, message);
    }

    public static ApiError slow(String message) {
        return new ApiError(408, INVALID, null, "request_timeout", null, message);
    }

    public static ApiError tooLarge(String message) {
        return new ApiError(413, INVALID, null, "request_too_large", null, message);
    }

    public static ApiError mediaType(String message) {
        return new ApiError(415, INVALID, null, "unsupported_media_type", null, message);
    }

    public static ApiError busy(Duration retryAfter, String message) {
        return new ApiError(429, "requests", null, "rate_limit_exceeded", retryAfter, message);
    }

    public static ApiError stopping() {
        return new ApiError(
                503, SERVER, null, "service_unavailable", Duration.ofSeconds(10), "The service is being stopped.");
    }

    public static ApiError overloaded(String message) {
        return new ApiError(503, SERVER, null, "overloaded", Duration.ofSeconds(5), message);
    }

    public static ApiError timeout(String message) {
        return new ApiError(504, SERVER, null, "timeout", null, message);
    }

    /** An error that would occur again. */
    public static ApiError internal(String message) {
        return new ApiError(500, SERVER, null, "internal_error", null, message);
    }

    /** A picture that could not be stored. */
    public static ApiError notKept() {
        return new ApiError(
                507, SERVER, null, "insufficient_storage", null, "The picture could not be kept; the log says why.");
    }

    public int status() {
        return status;
    }

    public String code() {
        return code;
    }

    Optional<Duration> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }

    /** {@code {"error": {"message", "type", "param", "code"}}}, all four keys always there. */
    public ObjectNode json() {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.putObject("error")
                .put("message", getMessage())
                .put("type", type)
                .put("param", param)
                .put("code", code);
        return body;
    }
}
