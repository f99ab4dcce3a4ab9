package dev.gyre.diffusion.prompt;

import dev.gyre.diffusion.adapter.ScaledLora;
import dev.gyre.diffusion.request.Request;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The LoRA tags of a prompt in AUTOMATIC1111's syntax, {@code <lora:name>} or {@code <lora:name:0.8>}, where the name is the file's without
 * its ending.
 *
 * @param prompt without the tags
 * @param strengths by name, in the prompt's order
 */
public record LoraTags(String prompt, Map<String, Double> strengths) {
    private static final Pattern TAG = Pattern.compile("<lora:(?<name>[^:<>]+)(:(?<strength>[^<>]*))?>");

    /** @throws IllegalArgumentException when a strength is no number */
    public static LoraTags of(String prompt) {
        Matcher matcher = TAG.matcher(prompt);
        Map<String, Double> strengths = new LinkedHashMap<>();
        String rest = matcher.replaceAll(tag -> {
            strengths.merge(tag.group("name").strip(), strength(tag), Double::sum);
            return "";
        });
        return new LoraTags(rest, strengths);
    }

    private static double strength(MatchResult tag) {
        String text = tag.group("strength");
        if (text == null) return 1;
        try {
            double strength = Double.parseDouble(text);
            if (Double.isFinite(strength)) return strength;
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw new IllegalArgumentException("prompt: one number for the LoRA's strength as in <lora:" + tag.group("name")
                + ":0.8>, got " + tag.group());
    }

    /** The request with its LoRAs at the strengths that its prompt gives. */
    public static Request applied(Request request) {
        if (request.text().plain()) return request;
        Map<String, Double> wanted = new LinkedHashMap<>(of(request.text().prompt()).strengths);
        if (wanted.isEmpty()) return request;
        List<ScaledLora> adapters = new ArrayList<>();
        for (ScaledLora one : request.network().loras()) {
            Double strength = wanted.remove(one.lora().name());
            adapters.add(strength == null ? one : new ScaledLora(one.lora(), strength));
        }
        if (!wanted.isEmpty())
            throw new IllegalArgumentException(
                    "prompt: the LoRA \"" + wanted.keySet().iterator().next() + "\" is not loaded");
        return request.with(request.network().loras(adapters));
    }
}
