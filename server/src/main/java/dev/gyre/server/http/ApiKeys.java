package dev.gyre.server.http;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Optional;

/** The API keys, compared in constant time. */
final class ApiKeys {
    private final List<byte[]> digests;

    ApiKeys(List<String> keys) {
        digests = keys.stream().map(ApiKeys::digest).toList();
    }

    /** @param authorization the header {@code Authorization} */
    void check(Optional<String> authorization) {
        if (digests.isEmpty()) return;
        String key = authorization
                .filter(value -> value.regionMatches(true, 0, "Bearer ", 0, 7))
                .map(value -> value.substring(7).strip())
                .orElse("");
        byte[] given = digest(key);
        boolean known = false;
        for (byte[] digest : digests) known |= MessageDigest.isEqual(digest, given);
        if (!known) throw ApiError.unauthorized(!key.isEmpty());
    }

    /** Digests have one length, so that timing does not tell a key's. */
    private static byte[] digest(String key) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
