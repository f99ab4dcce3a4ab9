package dev.gyre.diffusion.metadata;

import dev.gyre.core.Precision;
import dev.gyre.diffusion.noise.NoiseSource;
import dev.gyre.diffusion.request.Conditions;
import dev.gyre.diffusion.request.HiresFix;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.diffusion.sampler.Schedule;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
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
        Request request = Request.of(prompt);
        request = request.with(request.text()
                .negative(negative)
                .clipSkip(take("Clip skip", Integer::valueOf).orElse(1))
                .plain(take("Prompt syntax", "plain"::equals).orElse(false)));
        request = sampling(request);
        request = request.with(noise(request.noise()));
        Sources recipe = SourcesText.read(entries, request.text());
        if (entries.containsKey("Hires upscale")) request = request.with(hires());
        request = request.with(network());
        Optional<Request.Size> size = take("Size", Request.Size::parse);
        if (size.isPresent())
            request = request.size(size.get().width(), size.get().height());
        return new Parameters(
                request,
                take("Drawn at", Request.Size::parse),
                take("Model", Function.identity()).orElse(""),
                take("Model hash", Function.identity()),
                take("EMA", "true"::equals).orElse(false),
                take("Precision", Precision::named).orElse(Precision.F32),
                take("Weights", "Q8_0"::equals).orElse(false),
                take("Backend", Function.identity()).orElse("jvm"),
                recipe,
                entries);
    }

    private Request sampling(Request request) {
        Optional<Sampler> sampler = take("Sampler", Sampler::named);
        Optional<String> schedule = take("Schedule type", Function.identity()).filter(s -> !s.equals("Automatic"));
        if (sampler.isPresent() && schedule.isPresent()) {
            Schedule named = Schedule.named(schedule.get());
            if (!named.equals(sampler.get().schedule()))
                sampler = Optional.of(sampler.get().on(named));
        }
        Optional<Double> eta = take("Eta", Double::valueOf);
        if (sampler.isPresent() && eta.isPresent())
            sampler = Optional.of(sampler.get().noisy(eta.get()));
        if (sampler.isPresent()) request = request.sampler(sampler.get());
        Optional<Integer> steps = take("Steps", Integer::valueOf);
        if (steps.isPresent()) request = request.steps(steps.get());
        Optional<Double> guidance = take("CFG scale", Double::valueOf);
        if (guidance.isPresent()) request = request.guidance(guidance.get());
        Optional<Request.StepRange> guided = take("Guided", Request.StepRange::parse);
        return guided.isPresent() ? request.with(request.sampling().guided(guided.get())) : request;
    }

    private Request.Noise noise(Request.Noise noise) {
        // AUTOMATIC1111 says nothing when it draws on the GPU, "NV" when it computes the GPU's numbers on the CPU.
        Optional<String> source = take("RNG", Function.identity());
        noise = noise.source(source.orElse("NV").equals("CPU") ? NoiseSource.CPU : NoiseSource.CUDA);
        Optional<Long> seed = take("Seed", Long::valueOf), other = take("Variation seed", Long::valueOf);
        double strength = take("Variation seed strength", Double::valueOf).orElse(0.0);
        if (seed.isPresent()) noise = noise.seed(seed.get());
        if (other.isPresent()) noise = noise.variation(new Request.Variation(other.get(), strength));
        return noise.stepSeedDelta(take("ENSD", Long::valueOf).orElse(0L));
    }

    private HiresFix hires() {
        Optional<Double> own = take("Hires strength", Double::valueOf);
        double strength =
                own.or(() -> take("Denoising strength", Double::valueOf)).orElse(HiresFix.TWICE.strength());
        Optional<Integer> steps = take("Hires steps", Integer::valueOf).filter(n -> n > 0);
        return new HiresFix(
                take("Hires upscale", Double::valueOf).orElseThrow(),
                strength,
                !take("Hires upscaler", Function.identity()).orElse("Latent").equals("Lanczos"),
                steps.map(OptionalInt::of).orElse(OptionalInt.empty()));
    }

    /** What needs no files. */
    private Conditions network() {
        Conditions network = Conditions.PLAIN
                .tileable(take("Tiling", "True"::equals).orElse(false))
                .vaeTiling(take("VAE tiling", "True"::equals).orElse(false));
        Optional<Conditions.Reuse> reuse = take("DeepCache", text -> {
            String[] parts = text.split(":", 2);
            return new Conditions.Reuse(Integer.parseInt(parts[0]), Integer.parseInt(parts[parts.length - 1]));
        });
        return reuse.map(network::reuse).orElse(network);
    }

    /** The setting of this name, if there is one, which then is known. */
    private <T> Optional<T> take(String key, Function<String, T> reading) {
        String value = entries.remove(key);
        if (value == null) return Optional.empty();
        try {
            return Optional.of(reading.apply(value));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("parameters: " + key + ": a number, got " + value, e);
        }
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
