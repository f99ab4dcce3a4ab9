package dev.gyre.diffusion.metadata;

import dev.gyre.core.Precision;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Prediction;
import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.diffusion.sampler.Schedule;
import dev.gyre.diffusion.settings.Setting;
import dev.gyre.diffusion.settings.Settings;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** The text that pictures carry, written and read: prompt, {@code Negative prompt: …}, then {@code key: value} with commas between. */
final class ParametersText {
    private static final String NEGATIVE = "Negative prompt:", STEPS = "Steps: ";
    private static final int MOST = 1 << 20;

    private final Map<String, String> entries;

    private ParametersText(Map<String, String> entries) {
        this.entries = entries;
    }

    static String write(String prompt, String negative, Map<String, String> entries) {
        StringBuilder text = new StringBuilder(line(prompt)).append('\n');
        if (!negative.isEmpty())
            text.append(NEGATIVE).append(' ').append(line(negative)).append('\n');
        String comma = "";
        for (Map.Entry<String, String> entry : entries.entrySet()) {
            text.append(comma).append(entry.getKey()).append(": ").append(quoted(entry.getValue()));
            comma = ", ";
        }
        return text.toString();
    }

    /** A line of the prompt that looks like what follows it is joined to the one before, which means the same. */
    private static String line(String prompt) {
        String joined = prompt.replace("\n" + NEGATIVE, " " + NEGATIVE);
        return joined.startsWith(NEGATIVE) ? " " + joined : joined;
    }

    private static String quoted(String value) {
        boolean bare = value.equals(value.strip()) && value.chars().noneMatch(c -> c == ',' || c == '"' || c == '\n');
        if (bare) return value;
        return '"' + value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
    }

    static Parameters parse(String text) {
        if (text.length() > MOST)
            throw new IllegalArgumentException("parameters: at most " + MOST + " characters, got " + text.length());
        int last = text.lastIndexOf("\n" + STEPS) + 1;
        if (!text.startsWith(STEPS, last))
            throw new IllegalArgumentException("the parameters have no line that begins with \"" + STEPS + "\"");
        String head = last == 0 ? "" : text.substring(0, last - 1);
        int negative = head.startsWith(NEGATIVE) ? 0 : head.indexOf("\n" + NEGATIVE) + 1;
        boolean has = head.startsWith(NEGATIVE, negative);
        String prompt = !has ? head : negative == 0 ? "" : head.substring(0, negative - 1);
        String not = !has ? "" : head.substring(negative + NEGATIVE.length()).replaceFirst("^ ", "");
        return new ParametersText(entries(text.substring(last))).parameters(prompt, not);
    }

    private Parameters parameters(String prompt, String negative) {
        Request request = Request.of(prompt).negative(negative);
        // First: of two denoising strengths it has the one without a name of its own.
        Optional<Sources.Begun> start = SourcesText.start(entries);
        for (Setting setting : Settings.ALL) if (setting.need().isMet(request)) request = taken(setting, request);
        Sources recipe = SourcesText.read(entries, start, request.text());
        return new Parameters(
                request,
                take("Drawn at", Request.Size::parse),
                take("Model", Function.identity()).orElse(""),
                take("Model hash", Function.identity()),
                take("EMA", "true"::equals).orElse(false),
                take("Prediction", Prediction::named),
                take("Precision", Precision::named).orElse(Precision.F32),
                take("Weights", "Q8_0"::equals).orElse(false),
                take("Backend", Function.identity()).orElse("jvm"),
                recipe,
                entries);
    }

    private Request taken(Setting setting, Request request) {
        Optional<String> value = SourcesText.take(setting, entries);
        // A sampler on the schedule that is its own is that sampler.
        if (setting == Settings.SCHEDULE
                && value.map(Schedule::named)
                        .equals(request.sampling().sampler().map(Sampler::schedule))) return request;
        return value.isEmpty() ? request : setting.apply(request, value.get());
    }

    /** The setting of this name, if there is one, which then is known. */
    private <T> Optional<T> take(String key, Function<String, T> reading) {
        return Optional.ofNullable(entries.remove(key)).map(reading);
    }

    /** Reads {@code key: value, key: "value, with commas", …}; what is no such thing is passed over. */
    private static Map<String, String> entries(String line) {
        Map<String, String> entries = new LinkedHashMap<>();
        int at = 0;
        while (at < line.length()) {
            int colon = line.indexOf(':', at), comma = line.indexOf(',', at);
            if (colon < 0) break;
            if (comma >= 0 && comma < colon) {
                at = comma + 1;
                continue;
            }
            String key = line.substring(at, colon).strip();
            int begin = colon + 1;
            while (begin < line.length() && line.charAt(begin) == ' ') begin++;
            StringBuilder value = new StringBuilder();
            at = begin < line.length() && line.charAt(begin) == '"' ? quoted(line, begin, value) : -1;
            if (at < 0) {
                int end = line.indexOf(',', begin);
                at = end < 0 ? line.length() : end;
                value.setLength(0);
                value.append(line.substring(Math.min(begin, at), at).strip());
            }
            entries.put(key, value.toString());
            int next = line.indexOf(',', at);
            at = next < 0 ? line.length() : next + 1;
        }
        return entries;
    }

    /** Reads from an opening quote to the closing one; returns what is behind it, or −1 when there is none. */
    private static int quoted(String line, int open, StringBuilder value) {
        for (int i = open + 1; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c == '"') return i + 1;
            if (c == '\\' && i + 1 < line.length()) {
                c = line.charAt(++i);
                value.append(c == 'n' ? '\n' : c);
            } else {
                value.append(c);
            }
        }
        return -1;
    }
}
