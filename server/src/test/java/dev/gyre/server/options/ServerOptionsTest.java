package dev.gyre.server.options;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gyre.diffusion.settings.SettingValues;
import dev.gyre.diffusion.settings.Settings;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What cannot be meant is said. */
class ServerOptionsTest {
    private static final ServerOptions.Limits LIMITS = ServerOptions.Limits.DEFAULT;

    private static void refused(String message, Executable settings) {
        assertEquals(
                message, assertThrows(IllegalArgumentException.class, settings).getMessage());
    }

    private static ServerOptions.Listen listen(int port, String url) {
        return new ServerOptions.Listen("127.0.0.1", port, Optional.of(URI.create(url)));
    }

    private static ServerOptions.Defaults defaults(int steps, double guidance) {
        return new ServerOptions.Defaults(SettingValues.NONE
                .with(Settings.STEPS, String.valueOf(steps))
                .with(Settings.GUIDANCE, String.valueOf(guidance)));
    }

    @Test
    void whereItListens() {
        listen(0, "https://pictures.example/gyre");
        refused("port: 0 to 65535, got 65536", () -> listen(65536, "https://a.example"));
        refused("port: 0 to 65535, got -1", () -> listen(-1, "https://a.example"));
        String site = "public URL: it begins with http:// or https:// and a host, got ";
        for (String url : List.of("pictures.example", "ftp://a.example", "/gyre", "http:/gyre"))
            refused(site + url, () -> listen(80, url));
    }

    @Test
    void whoMayCall() {
        new ServerOptions.Access(List.of(), List.of("*", "https://a.example", "http://localhost:3000"));
        for (String origin : List.of("a.example", "https://a.example/", "https://", ""))
            refused(
                    "origin: * or one like https://pictures.example, got " + origin,
                    () -> new ServerOptions.Access(List.of(), List.of(origin)));
    }

    @Test
    void whatARequestHasThatSaysNothing() {
        refused("steps: 1 to 1000, got 0", () -> defaults(0, 5));
        refused("guidance: 0 to 100, got -1.0", () -> defaults(20, -1));
        refused("guidance: a number, got \"NaN\"", () -> defaults(20, Double.NaN));
        refused("steps: at most 150, got 151", () -> ServerOptions.DEFAULT.with(defaults(151, 5)));
    }

    @Test
    void limits() {
        refused("queue: at least 1, got 0", () -> LIMITS.queue(0));
        refused("batch: at least 1, got 0", () -> LIMITS.batch(0));
        refused("pixels: at least 64, got 63", () -> LIMITS.pixels(63));
        refused("body: at least 1024 bytes, got 0", () -> LIMITS.body(0));
        refused("time limit: more than nothing, got 0 s", () -> LIMITS.time(Duration.ZERO));
        refused("grace: nothing or more, got -1 s", () -> LIMITS.grace(Duration.ofSeconds(-1)));
        refused("URLs work for a while, got 0 minutes", () -> ServerOptions.Pictures.DEFAULT.expiry(Duration.ZERO));
        refused("memory: nothing or more, got -1 bytes", () -> ServerOptions.Pictures.DEFAULT.memory(-1));
    }
}
