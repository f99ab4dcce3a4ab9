package dev.gyre.server.http;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What answers a method on a path.
 *
 * @param path with {@code {name}} for a part that may be anything
 * @param access who may ask
 */
public record Route(String method, String path, Access access, Answer answer) {
    /** What a route is for. */
    public enum Access {
        /** The API: also under {@code /v1}, and with a key where keys are set. */
        API,
        /** Of use to who runs it: with a key where keys are set. */
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

    /** The named parts of a path that this one is like. */
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
