package dev.gyre.diffusion.metadata;

import dev.gyre.diffusion.file.FileId;
import dev.gyre.diffusion.prompt.LoraTags;
import dev.gyre.diffusion.request.InitImage;
import dev.gyre.diffusion.request.Request;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The entries of a picture's parameters that name files, written and read. */
final class SourcesText {
    private static final String ORIGIN = "(.+ \\[[0-9a-f]{8,64}])";
    private static final Pattern ADAPTER = Pattern.compile(ORIGIN + " (\\S+)");
    private static final Pattern CONTROL = Pattern.compile("Model: " + ORIGIN + ", Image: " + ORIGIN
            + ", Weight: (\\S+), Guidance Start: (\\S+), Guidance End: (\\S+)");

    private SourcesText() {}

    static void write(Sources recipe, Map<String, String> entries) {
        recipe.start().ifPresent(begun -> {
            entries.put("Denoising strength", Parameters.number(begun.strength()));
            entries.put("Begins with", begun.image().toString());
            begun.outpaint().ifPresent(sides -> entries.put("Outpaint", sides));
            begun.mask().ifPresent(mask -> {
                mask.image().ifPresent(image -> entries.put("Mask", image.toString()));
                entries.put("Mask blur", Parameters.number(mask.blur()));
                mask.closeUp().ifPresent(around -> {
                    entries.put("Inpaint area", "Only masked");
                    entries.put("Masked area padding", String.valueOf(around));
                });
            });
        });
        for (int i = 0; i < recipe.loras().size(); i++) {
            Sources.Adapter one = recipe.loras().get(i);
            entries.put("Lora " + i, one.lora() + " " + Parameters.number(one.strength()));
        }
        for (int i = 0; i < recipe.controls().size(); i++) {
            Sources.Control one = recipe.controls().get(i);
            entries.put(
                    "ControlNet " + i,
                    "Model: " + one.net() + ", Image: " + one.image() + ", Weight: " + Parameters.number(one.weight())
                            + ", Guidance Start: "
                            + Parameters.number(one.part().from()) + ", Guidance End: "
                            + Parameters.number(one.part().to()));
        }
        for (int i = 0; i < recipe.words().size(); i++)
            entries.put("Word " + i, recipe.words().get(i).toString());
        recipe.vae().ifPresent(vae -> {
            entries.put("VAE hash", vae.hash());
            entries.put("VAE", vae.path());
        });
        recipe.checker().ifPresent(checker -> entries.put("Safety checker", checker.toString()));
    }

    /** Takes out of the entries what it understands; what other tools wrote in another form stays. */
    static Sources read(Map<String, String> entries, Request.Text text) {
        Optional<Sources.Begun> start = origin(entries, "Begins with").map(image -> begun(image, entries));
        List<Sources.Adapter> loras = new ArrayList<>(automatic1111(entries, text));
        for (Matcher one : numbered(entries, "Lora ", ADAPTER))
            loras.add(new Sources.Adapter(parse(one.group(1)), number("Lora", one.group(2))));
        List<Sources.Control> controls = new ArrayList<>();
        for (Matcher one : numbered(entries, "ControlNet ", CONTROL))
            controls.add(new Sources.Control(
                    parse(one.group(1)),
                    parse(one.group(2)),
                    number("ControlNet", one.group(3)),
                    new Request.StepRange(number("ControlNet", one.group(4)), number("ControlNet", one.group(5)))));
        List<FileId> words = new ArrayList<>();
        for (Matcher one : numbered(entries, "Word ", Pattern.compile(ORIGIN))) words.add(parse(one.group(1)));
        Optional<FileId> vae = Optional.empty();
        if (entries.containsKey("VAE") && entries.containsKey("VAE hash"))
            vae = Optional.of(new FileId(entries.remove("VAE"), entries.remove("VAE hash")));
        return new Sources(start, loras, controls, words, vae, origin(entries, "Safety checker"));
    }

    private static Sources.Begun begun(FileId image, Map<String, String> entries) {
        String strength = entries.remove("Denoising strength"), blur = entries.remove("Mask blur");
        String around = entries.remove("Masked area padding");
        entries.remove("Inpaint area");
        Optional<FileId> mask = origin(entries, "Mask");
        OptionalInt closeUp =
                around == null ? OptionalInt.empty() : OptionalInt.of((int) number("Masked area padding", around));
        return new Sources.Begun(
                image,
                strength == null ? InitImage.STRENGTH : number("Denoising strength", strength),
                Optional.ofNullable(entries.remove("Outpaint")),
                blur == null
                        ? Optional.empty()
                        : Optional.of(new Sources.Mask(mask, number("Mask blur", blur), closeUp)));
    }

    /** The prompt has the strengths, {@code Lora hashes: "name: hash, name: hash"} the files. */
    private static List<Sources.Adapter> automatic1111(Map<String, String> entries, Request.Text text) {
        if (text.plain() || !entries.containsKey("Lora hashes")) return List.of();
        Map<String, Double> strengths = LoraTags.of(text.prompt()).strengths();
        Map<String, String> hashes = new LinkedHashMap<>();
        for (String one : entries.get("Lora hashes").split(",")) {
            String[] parts = one.strip().split(": ?", 2);
            if (parts.length == 2 && parts[1].matches("[0-9a-f]{8,64}")) hashes.put(parts[0], parts[1]);
        }
        if (hashes.isEmpty() || !hashes.keySet().equals(strengths.keySet())) return List.of();
        entries.remove("Lora hashes");
        List<Sources.Adapter> all = new ArrayList<>();
        strengths.forEach((name, strength) ->
                all.add(new Sources.Adapter(new FileId(name + ".safetensors", hashes.get(name)), strength)));
        return all;
    }

    private static List<Matcher> numbered(Map<String, String> entries, String key, Pattern form) {
        List<Matcher> all = new ArrayList<>();
        for (int i = 0; entries.containsKey(key + i); i++) {
            Matcher matcher = form.matcher(entries.get(key + i));
            if (!matcher.matches()) break;
            entries.remove(key + i);
            all.add(matcher);
        }
        return all;
    }

    private static Optional<FileId> origin(Map<String, String> entries, String key) {
        Optional<FileId> origin = Optional.ofNullable(entries.get(key)).flatMap(FileId::parse);
        if (origin.isPresent()) entries.remove(key);
        return origin;
    }

    private static FileId parse(String text) {
        return FileId.parse(text).orElseThrow();
    }

    private static double number(String key, String value) {
        try {
            return Double.parseDouble(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("parameters: " + key + ": a number, got " + value, e);
        }
    }
}
