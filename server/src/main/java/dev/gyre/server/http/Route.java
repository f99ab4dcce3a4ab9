package dev.gyre.server.http;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A method and a path, and their handler.
 *
 * @param path with {@code {name}} for a variable segment
 * @param access who may call it
 */
public record Route(String method, String path, Access access, Answer answer) {
    /** What a route is for. */
    public enum Access {
        /** The API: also under {@code /v1}, and with a key if keys are set. */
        API,
        /** For the operator: with a key if keys are set. */
        OPERATOR,
        /** For everyone. */
        OPEN
    }

    /** Answers once. */
    @FunctionalInterface
    public interface Answer {
        /** @throws ApiError to answer with it, where nothing was sent yet */
        void to(Exchange exchange) throws IOException, InterruptedException;
    }

    /** The variables of a path that matches this one. */
    Optional<Map<String, String>> match(String asked) {
        String[] parts = path.split("/", -1), given = asked.split("/", -1);
        if (parts.length != given.length) return Optional.empty();
        Map<String, String> names = new LinkedHashMap<>();
        for (int i = 0; i < parts.length; i++) {
            if (parts[i].startsWith("{")) names.put(parts[i].substring(1, parts[i].length() - 1), given[i]);
            else if (!parts[i].equals(given[i])) return Optional.empty();
        }
        return Optional.of(names);
    }
}
