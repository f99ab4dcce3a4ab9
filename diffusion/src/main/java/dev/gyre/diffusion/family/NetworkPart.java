package dev.gyre.diffusion.family;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** The networks of a model. */
public enum NetworkPart {
    /** The text encoder: tokens to states. */
    TEXT,
    /** What predicts the noise in latents. */
    UNET,
    /** The VAE's half that makes a picture of latents. */
    DECODER,
    /** The VAE's half that makes latents of a picture. */
    ENCODER;

    /** Its name on the command line: {@code text}, {@code unet}, {@code decoder} or {@code encoder}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** @throws IllegalArgumentException naming all there are */
    public static NetworkPart named(String label) {
        return Arrays.stream(values())
                .filter(part -> part.label().equals(label))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("part: "
                        + Arrays.stream(values()).map(NetworkPart::label).collect(Collectors.joining(", ")) + ", got "
                        + label));
    }
}
