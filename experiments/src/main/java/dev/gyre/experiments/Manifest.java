package dev.gyre.experiments;

import dev.gyre.core.profile.Environment;
import dev.gyre.diffusion.StableDiffusion;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How results were made: the metadata of a results table's schema.
 *
 * @param entries keys begin with {@code gyre.}
 */
public record Manifest(Map<String, String> entries) {
    private static final String PREFIX = "gyre.";

    /** The entries that determine which pictures there are, and their bits. */
    private static final List<String> IDENTITY = List.of(
            "version",
            "plan_sha256",
            "model_sha256",
            "ema",
            "prediction",
            "precision",
            "weights",
            "backend",
            "step_latents");

    /** Takes a copy. */
    public Manifest {
        entries = Collections.unmodifiableMap(new LinkedHashMap<>(entries));
    }

    /**
     * The manifest of a sweep on this machine. Reads the whole checkpoint for its hash.
     *
     * @throws IOException when that cannot be read
     */
    public static Manifest of(Plan plan, StableDiffusion sd, boolean stepLatents) throws IOException {
        Map<String, String> entries = new LinkedHashMap<>();
        String version = Manifest.class.getPackage().getImplementationVersion();
        put(entries, "version", version == null ? "(not from a jar)" : version);
        put(entries, "prompts", plan.prompts().name());
        put(entries, "grid", plan.grid().toString());
        put(entries, "rows", plan.size());
        put(entries, "plan_sha256", plan.sha256());
        put(entries, "model", sd.checkpoint().name());
        put(entries, "model_sha256", sd.checkpoint().sha256());
        put(entries, "ema", sd.ema());
        put(entries, "prediction", sd.prediction().label());
        put(entries, "precision", sd.precision().label());
        put(entries, "weights", sd.quantized() ? "Q8_0" : "as stored");
        put(entries, "step_latents", stepLatents);
        put(entries, "backend", sd.backend());
        put(entries, "device", sd.device());
        put(entries, "environment", Environment.line());
        put(
                entries,
                "java",
                System.getProperty("java.runtime.version") + " (" + System.getProperty("java.vm.name") + ")");
        put(
                entries,
                "java_options",
                String.join(" ", ManagementFactory.getRuntimeMXBean().getInputArguments()));
        return new Manifest(entries);
    }

    private static void put(Map<String, String> entries, String key, Object value) {
        entries.put(PREFIX + key, String.valueOf(value));
    }

    /** Without its prefix; empty where there is none. */
    public String get(String key) {
        return entries.getOrDefault(PREFIX + key, "");
    }

    /**
     * Checks that rows of both may stand in one table.
     *
     * @throws IOException naming what differs
     */
    void check(Manifest there, String file) throws IOException {
        for (String key : IDENTITY)
            if (!get(key).equals(there.get(key)))
                throw new IOException(
                        file + ": it holds another sweep: its " + key.replace('_', ' ') + " is " + there.get(key)
                                + ", this one's " + get(key) + "; another --out is expected, or that it is gone");
    }
}
