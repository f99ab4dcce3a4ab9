package dev.gyre.server.images;

import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Pictures behind unguessable URLs, in memory, for a while; when it is full, the oldest go. */
public final class ImageUrls {
    /** A picture's file. */
    public record Content(ImageFormat format, byte[] bytes) {}

    private record Kept(Content content, long until) {}

    private final SecureRandom random = new SecureRandom();
    private final Map<String, Kept> kept = new LinkedHashMap<>(); // oldest first
    private final Duration expiry;
    private final long most;
    private long bytes;

    /** @param most bytes of all pictures */
    public ImageUrls(Duration expiry, long most) {
        this.expiry = expiry;
        this.most = most;
    }

    /** Keeps a picture; returns its name. */
    public synchronized String keep(Content content) {
        byte[] id = new byte[16];
        random.nextBytes(id);
        String name = HexFormat.of().formatHex(id) + "." + content.format().ending();
        kept.put(name, new Kept(content, System.nanoTime() + expiry.toNanos()));
        bytes += content.bytes().length;
        clear();
        return name;
    }

    public synchronized Optional<Content> find(String name) {
        clear();
        return Optional.ofNullable(kept.get(name)).map(Kept::content);
    }

    public synchronized long bytes() {
        clear();
        return bytes;
    }

    private void clear() {
        long now = System.nanoTime();
        for (Iterator<Kept> oldest = kept.values().iterator(); oldest.hasNext(); ) {
            Kept next = oldest.next();
            if (next.until - now > 0 && bytes <= most) return;
            oldest.remove();
            bytes -= next.content.bytes().length;
        }
    }
}
