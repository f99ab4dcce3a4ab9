package dev.gyre.server.options;

import dev.gyre.diffusion.settings.Setting;
import dev.gyre.diffusion.settings.SettingValues;
import dev.gyre.diffusion.settings.Settings;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The operator's options.
 *
 * @param listen the address and the public URL
 * @param models checkpoints, the first the default; none is the embedded model
 * @param strict whether unknown model names are refused; otherwise the default model answers
 * @param defaults of settings that a request leaves out
 * @param limits beyond which requests are refused
 * @param access API keys and origins
 * @param pictures where pictures are kept, and for how long
 * @param loras a folder of LoRA files that requests may name
 */
public record ServerOptions(
        Listen listen,
        List<Path> models,
        boolean strict,
        Defaults defaults,
        Limits limits,
        Access access,
        Pictures pictures,
        Optional<Path> loras) {

    public static final ServerOptions DEFAULT = new ServerOptions(
            Listen.DEFAULT,
            List.of(),
            false,
            Defaults.DEFAULT,
            Limits.DEFAULT,
            Access.OPEN,
            Pictures.DEFAULT,
            Optional.empty());

    /**
     * @param host an address of this machine; loopback keeps other machines out
     * @param port 0 takes a free one
     * @param publicUrl the base of picture URLs; by default as the request's headers say
     */
    public record Listen(String host, int port, Optional<URI> publicUrl) {
        public static final Listen DEFAULT = new Listen("127.0.0.1", 8080, Optional.empty());

        public Listen {
            if (port < 0 || port > 65535) throw new IllegalArgumentException("port: 0 to 65535, got " + port);
            if (publicUrl.isPresent() && !isSite(publicUrl.get()))
                throw new IllegalArgumentException(
                        "public URL: it begins with http:// or https:// and a host, got " + publicUrl.get());
        }
    }

    /**
     * Values of settings that a request leaves out; they override the model's and the table's.
     *
     * @param values by setting; one that does not apply to a request is skipped
     */
    public record Defaults(SettingValues values) {
        public static final Defaults DEFAULT = new Defaults(SettingValues.NONE);

        public Defaults {
            values.asMap().forEach(Setting::check);
        }
    }

    /**
     * @param queue the most jobs that wait; further requests get 429
     * @param batch the most pictures generated in one batch
     * @param body the most bytes of a request
     * @param pixels the most pixels of a picture
     * @param upload the most pixels of an uploaded image
     * @param steps the most sampling steps
     * @param time the longest time from a request's arrival to its last picture
     * @param grace the time that running jobs get when the service stops
     */
    public record Limits(
            int queue, int batch, long body, long pixels, long upload, int steps, Duration time, Duration grace) {
        public static final Limits DEFAULT = new Limits(
                32, 4, 50L << 20, 1024 * 1024, 1L << 25, 150, Duration.ofMinutes(10), Duration.ofSeconds(30));

        public Limits {
            if (queue < 1) throw new IllegalArgumentException("queue: at least 1, got " + queue);
            if (batch < 1) throw new IllegalArgumentException("batch: at least 1, got " + batch);
            if (steps < 1 || steps > 1000) throw new IllegalArgumentException("steps: 1 to 1000, got " + steps);
            if (pixels < 64) throw new IllegalArgumentException("pixels: at least 64, got " + pixels);
            if (time.isNegative() || time.isZero())
                throw new IllegalArgumentException("time limit: more than nothing, got " + time.toSeconds() + " s");
            if (grace.isNegative())
                throw new IllegalArgumentException("grace: nothing or more, got " + grace.toSeconds() + " s");
            if (body < 1024) throw new IllegalArgumentException("body: at least 1024 bytes, got " + body);
        }

        public Limits queue(int queue) {
            return new Limits(queue, batch, body, pixels, upload, steps, time, grace);
        }

        public Limits batch(int batch) {
            return new Limits(queue, batch, body, pixels, upload, steps, time, grace);
        }

        public Limits body(long body) {
            return new Limits(queue, batch, body, pixels, upload, steps, time, grace);
        }

        public Limits pixels(long pixels) {
            return new Limits(queue, batch, body, pixels, upload, steps, time, grace);
        }

        public Limits time(Duration time) {
            return new Limits(queue, batch, body, pixels, upload, steps, time, grace);
        }

        public Limits grace(Duration grace) {
            return new Limits(queue, batch, body, pixels, upload, steps, time, grace);
        }
    }

    /**
     * @param keys one of which a request must send; without keys everyone is let in
     * @param origins whose web pages may call the API; {@code *} is all
     */
    public record Access(List<String> keys, List<String> origins) {
        public static final Access OPEN = new Access(List.of(), List.of());

        public Access {
            keys = List.copyOf(keys);
            origins = List.copyOf(origins);
            for (String origin : origins)
                if (!origin.equals("*") && !origin.matches("https?://[^/]+"))
                    throw new IllegalArgumentException("origin: * or one like https://pictures.example, got " + origin);
        }
    }

    /**
     * @param folder to which every picture is also written
     * @param expiry the lifetime of a picture's URL
     * @param memory the most bytes of pictures behind URLs; the oldest go first
     */
    public record Pictures(Optional<Path> folder, Duration expiry, long memory) {
        public static final Pictures DEFAULT = new Pictures(Optional.empty(), Duration.ofMinutes(60), 256L << 20);

        public Pictures {
            if (expiry.isNegative() || expiry.isZero())
                throw new IllegalArgumentException("URLs work for a while, got " + expiry.toMinutes() + " minutes");
            if (memory < 0) throw new IllegalArgumentException("memory: nothing or more, got " + memory + " bytes");
        }

        public Pictures folder(Path folder) {
            return new Pictures(Optional.of(folder), expiry, memory);
        }

        public Pictures expiry(Duration expiry) {
            return new Pictures(folder, expiry, memory);
        }

        public Pictures memory(long memory) {
            return new Pictures(folder, expiry, memory);
        }
    }

    public ServerOptions {
        models = List.copyOf(models);
        Optional<Integer> steps = defaults.values.get(Settings.STEPS).map(Integer::valueOf);
        if (steps.isPresent() && steps.get() > limits.steps)
            throw new IllegalArgumentException("steps: at most " + limits.steps + ", got " + steps.get());
    }

    private static boolean isSite(URI uri) {
        return uri.getHost() != null && List.of("http", "https").contains(uri.getScheme());
    }

    public ServerOptions listen(Listen listen) {
        return new ServerOptions(listen, models, strict, defaults, limits, access, pictures, loras);
    }

    /** On a free port of the loopback address. */
    public ServerOptions anyPort() {
        return listen(new Listen(listen.host, 0, listen.publicUrl));
    }

    public ServerOptions models(List<Path> models) {
        return new ServerOptions(listen, models, strict, defaults, limits, access, pictures, loras);
    }

    public ServerOptions strict(boolean strict) {
        return new ServerOptions(listen, models, strict, defaults, limits, access, pictures, loras);
    }

    public ServerOptions with(Defaults defaults) {
        return new ServerOptions(listen, models, strict, defaults, limits, access, pictures, loras);
    }

    public ServerOptions with(Limits limits) {
        return new ServerOptions(listen, models, strict, defaults, limits, access, pictures, loras);
    }

    public ServerOptions with(Access access) {
        return new ServerOptions(listen, models, strict, defaults, limits, access, pictures, loras);
    }

    public ServerOptions with(Pictures pictures) {
        return new ServerOptions(listen, models, strict, defaults, limits, access, pictures, loras);
    }

    public ServerOptions loras(Path folder) {
        return new ServerOptions(listen, models, strict, defaults, limits, access, pictures, Optional.of(folder));
    }
}
