package dev.gyre.diffusion;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * How a picture was drawn.
 *
 * @param request of this picture alone, with nothing left empty
 * @param drawn the size the model worked at; the picture was enlarged from it where its size is another
 * @param model the checkpoint's name
 * @param modelHash the first ten digits of the checkpoint's SHA-256, where known
 * @param ema whether the averaged weights were used
 */
public record Parameters(Request request, Request.Size drawn, String model, Optional<String> modelHash, boolean ema) {

    public long seed() {
        return request.noise().seed().orElseThrow();
    }

    public Request.Size size() {
        return request.size().orElseThrow();
    }

    /** As AUTOMATIC1111's web UI writes and reads it. */
    public String text() {
        StringBuilder text = new StringBuilder(request.text().prompt()).append('\n');
        if (!request.text().negative().isEmpty())
            text.append("Negative prompt: ").append(request.text().negative()).append('\n');
        return text.append(entries().entrySet().stream()
                        .map(e -> e.getKey() + ": " + e.getValue())
                        .collect(Collectors.joining(", ")))
                .toString();
    }

    private Map<String, String> entries() {
        Map<String, String> entries = new LinkedHashMap<>();
        Request.Sampling sampling = request.sampling();
        entries.put("Steps", String.valueOf(sampling.steps().orElseThrow()));
        entries.put("Sampler", sampling.sampler().orElseThrow().displayName());
        entries.put("CFG scale", number(sampling.guidance().orElseThrow()));
        entries.put("Seed", String.valueOf(seed()));
        entries.put("Size", size().toString());
        modelHash.ifPresent(hash -> entries.put("Model hash", hash));
        entries.put("Model", model);
        if (request.text().clipSkip() != 1)
            entries.put("Clip skip", String.valueOf(request.text().clipSkip()));
        if (ema) entries.put("EMA", "true");
        if (!drawn.equals(size())) entries.put("Drawn at", drawn.toString());
        return entries;
    }

    private static String number(double value) {
        return value == Math.rint(value) ? String.valueOf((long) value) : String.valueOf(value);
    }
}
