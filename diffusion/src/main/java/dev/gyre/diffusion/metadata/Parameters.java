package dev.gyre.diffusion.metadata;

import dev.gyre.core.Precision;
import dev.gyre.diffusion.image.Png;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Prediction;
import dev.gyre.diffusion.settings.Setting;
import dev.gyre.diffusion.settings.Settings;
import dev.gyre.diffusion.settings.Tool;
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
 * @param prediction what the UNet predicts, where the user overrode what the file says
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
        Optional<Prediction> prediction,
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
        Map<String, String> entries = new LinkedHashMap<>(), sources = new LinkedHashMap<>();
        SourcesText.write(recipe, sources);
        for (Setting setting : Settings.ALL) {
            if (!setting.need().isOfInitImage())
                setting.infotext(request).ifPresent(value -> setting.names(Tool.INFOTEXT).stream()
                        .filter(name -> !entries.containsKey(name) && !sources.containsKey(name))
                        .findFirst()
                        .ifPresent(name -> entries.put(name, value)));
            // Where AUTOMATIC1111 has it.
            if (setting == Settings.SIZE) {
                modelHash.ifPresent(hash -> entries.put("Model hash", hash));
                if (!model.isEmpty()) entries.put("Model", model);
            }
        }
        if (ema) entries.put("EMA", "true");
        prediction.ifPresent(type -> entries.put("Prediction", type.label()));
        if (precision != Precision.F32) entries.put("Precision", precision.label());
        if (quantized) entries.put("Weights", "Q8_0");
        if (!backend.equals("jvm")) entries.put("Backend", backend);
        drawn.ifPresent(size -> entries.put("Drawn at", size.toString()));
        entries.putAll(sources);
        return entries;
    }
}
