package dev.gyre.diffusion.checkpoint;

import java.util.List;
import java.util.Optional;

/**
 * A published checkpoint, recognised by its size.
 *
 * @param what in a few words
 */
public record PublishedCheckpoint(String what, long bytes, String sha256) {
    private static final List<PublishedCheckpoint> ALL = List.of(
            new PublishedCheckpoint(
                    "Stable Diffusion v1.5, v1-5-pruned.safetensors: last and averaged weights",
                    7_703_324_286L,
                    "1a189f0be69d6106a48548e7626207dddd7042a418dbf372cefd05e0cdba61b6"),
            new PublishedCheckpoint(
                    "Stable Diffusion v1.5, v1-5-pruned-emaonly.safetensors: averaged weights under the usual names",
                    4_265_146_304L,
                    "6ce0161689b3853acaa03779ec93eafe75a02f4ced659bee03f50797806fa2fa"));

    /** The published file of this size. */
    public static Optional<PublishedCheckpoint> ofSize(long bytes) {
        return ALL.stream().filter(f -> f.bytes == bytes).findFirst();
    }

    /** The model hash of other tools: the first ten digits of the file's SHA-256. */
    public static Optional<String> hash(Checkpoint checkpoint) {
        return ofSize(checkpoint.size()).map(f -> f.sha256.substring(0, 10));
    }
}
