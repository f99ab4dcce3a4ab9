package dev.gyre.diffusion.metadata;

import dev.gyre.core.Precision;
import dev.gyre.diffusion.image.Png;
import dev.gyre.diffusion.noise.NoiseSource;
import dev.gyre.diffusion.request.Conditions;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.diffusion.sampler.Stochastic;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * How a picture was drawn. Its text is AUTOMATIC1111's: prompt, negative prompt and a line of settings, those that only Gyre has among
 * them.
 *
 * @param request of this picture alone; nothing is left empty in what Gyre drew
 * @param drawn the size the model worked at, where the picture was enlarged from another than its own
 * @param model the checkpoint's name
 * @param modelHash the first ten digits of the checkpoint's SHA-256, where known
 * @param ema whether the averaged weights were used
 * @param precision what products multiplied
 * @param quantized whether the weights were in eight bits
 * @param backend what it was drawn on, as {@code jvm}
 * @param recipe the files that it was made of; where the parameters were read, the request has none of them yet: see
 *     {@link OpenSources}
 * @param others what another tool wrote and Gyre does not know
 */
public record Parameters(
        Request request,
        Optional<Request.Size> drawn,
        String model,
        Optional<String> modelHash,
        boolean ema,
        Precision precision,
        boolean quantized,
        String backend,
        Sources recipe,
        Map<String, String> others) {

    /**
     * The first picture's seed.
     *
     * @throws java.util.NoSuchElementException when the request leaves it to chance
     */
    public long seed() {
        return request.noise().seed().orElseThrow();
    }

    /**
     * Those that a PNG carries.
     *
     * @throws IOException when it cannot be read, or is no PNG, or carries none that can be understood
     */
    public static Parameters read(Path png) throws IOException {
        try {
            return read(Files.readAllBytes(png));
        } catch (java.nio.file.NoSuchFileException e) {
            throw new IOException(png + ": there is no such file", e);
        } catch (IOException | IllegalArgumentException e) {
            throw new IOException(png + ": " + e.getMessage(), e);
        }
    }

    /**
     * Those that a PNG in memory carries.
     *
     * @throws IOException when it is no PNG, or carries none
     * @throws IllegalArgumentException when a setting makes no sense, naming it
     */
    public static Parameters read(byte[] png) throws IOException {
        return parse(Png.text(png).orElseThrow(() -> new IOException("the picture carries no parameters")));
    }

    /**
     * Reads what {@link #text} or AUTOMATIC1111's web UI wrote.
     *
     * @throws IllegalArgumentException when a setting makes no sense, naming it
     */
    public static Parameters parse(String text) {
        return ParametersText.parse(text);
    }

    /** For a PNG. */
    public String text() {
        return ParametersText.write(request.text().prompt(), request.text().negative(), entries());
    }

    private Map<String, String> entries() {
        Map<String, String> entries = new LinkedHashMap<>();
        Request.Sampling sampling = request.sampling();
        sampling.steps().ifPresent(steps -> entries.put("Steps", String.valueOf(steps)));
        sampling.sampler().ifPresent(sampler -> {
            entries.put("Sampler", sampler.displayName());
            entries.put("Schedule type", sampler.schedule().displayName());
        });
        sampling.guidance().ifPresent(guidance -> entries.put("CFG scale", number(guidance)));
        request.noise().seed().ifPresent(seed -> entries.put("Seed", String.valueOf(seed)));
        request.size().ifPresent(size -> entries.put("Size", size.toString()));
        modelHash.ifPresent(hash -> entries.put("Model hash", hash));
        if (!model.isEmpty()) entries.put("Model", model);
        if (request.text().clipSkip() != 1)
            entries.put("Clip skip", String.valueOf(request.text().clipSkip()));
        entries.put("RNG", request.noise().source() == NoiseSource.CPU ? "CPU" : "NV");
        request.noise().variation().ifPresent(variation -> {
            entries.put("Variation seed", String.valueOf(variation.seed()));
            entries.put("Variation seed strength", number(variation.strength()));
        });
        if (request.noise().stepSeedDelta() != 0)
            entries.put("ENSD", String.valueOf(request.noise().stepSeedDelta()));
        sampling.sampler().flatMap(Parameters::eta).ifPresent(eta -> entries.put("Eta", number(eta)));
        if (!sampling.guided().equals(Request.StepRange.WHOLE))
            entries.put("Guided", sampling.guided().toString());
        if (request.text().plain()) entries.put("Prompt syntax", "plain");
        if (ema) entries.put("EMA", "true");
        if (precision != Precision.F32) entries.put("Precision", precision.label());
        if (quantized) entries.put("Weights", "Q8_0");
        if (!backend.equals("jvm")) entries.put("Backend", backend);
        drawn.ifPresent(size -> entries.put("Drawn at", size.toString()));
        SourcesText.write(recipe, entries);
        request.hires().ifPresent(hires -> {
            entries.put(recipe.start().isEmpty() ? "Denoising strength" : "Hires strength", number(hires.strength()));
            entries.put("Hires upscale", number(hires.scale()));
            hires.steps().ifPresent(steps -> entries.put("Hires steps", String.valueOf(steps)));
            entries.put("Hires upscaler", hires.latent() ? "Latent" : "Lanczos");
        });
        network(request.network(), entries);
        return entries;
    }

    private static void network(Conditions network, Map<String, String> entries) {
        if (network.tileable()) entries.put("Tiling", "True");
        network.reuse().ifPresent(reuse -> entries.put("DeepCache", reuse.every() + ":" + reuse.blocks()));
        if (network.vaeTiling()) entries.put("VAE tiling", "True");
    }

    /** Where it is not what the sampler's name stands for. */
    private static Optional<Double> eta(Sampler sampler) {
        boolean usual = Sampler.ALL.contains(sampler.bare());
        return !usual && sampler.bare() instanceof Stochastic stochastic
                ? Optional.of(stochastic.eta())
                : Optional.empty();
    }

    static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? String.valueOf((long) value)
                : String.valueOf(value);
    }
}
