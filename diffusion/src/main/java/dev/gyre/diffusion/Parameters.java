package dev.gyre.diffusion;

import dev.gyre.core.Precision;
import java.util.Optional;

/**
 * How a picture was drawn.
 *
 * @param drawn the size the model worked at; the picture was enlarged from it where {@code size} is another
 * @param model the checkpoint's name
 * @param modelHash the first ten digits of the checkpoint's SHA-256, where known
 * @param ema whether the averaged weights were used
 * @param precision what products multiplied
 */
public record Parameters(
        String prompt,
        String negative,
        int steps,
        String sampler,
        double guidance,
        long seed,
        Request.Size size,
        Request.Size drawn,
        String model,
        Optional<String> modelHash,
        boolean ema,
        Precision precision) {

    /** As AUTOMATIC1111's web UI writes and reads it. */
    public String text() {
        StringBuilder text = new StringBuilder(prompt).append('\n');
        if (!negative.isEmpty())
            text.append("Negative prompt: ").append(negative).append('\n');
        text.append("Steps: ").append(steps);
        text.append(", Sampler: ").append(sampler);
        text.append(", CFG scale: ")
                .append(guidance == Math.rint(guidance) ? String.valueOf((long) guidance) : String.valueOf(guidance));
        text.append(", Seed: ").append(seed);
        text.append(", Size: ").append(size);
        modelHash.ifPresent(hash -> text.append(", Model hash: ").append(hash));
        text.append(", Model: ").append(model);
        if (ema) text.append(", EMA: true");
        if (precision != Precision.F32) text.append(", Precision: ").append(precision.label());
        if (!drawn.equals(size)) text.append(", Drawn at: ").append(drawn);
        return text.toString();
    }
}
