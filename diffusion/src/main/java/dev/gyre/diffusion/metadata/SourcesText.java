package dev.gyre.diffusion.metadata;

import dev.gyre.diffusion.file.FileId;
import dev.gyre.diffusion.prompt.LoraTags;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.settings.Setting;
import dev.gyre.diffusion.settings.Setting.Need;
import dev.gyre.diffusion.settings.SettingValues;
import dev.gyre.diffusion.settings.Settings;
import dev.gyre.diffusion.settings.Tool;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
            write(begun, Need.IMAGE, entries);
            entries.put("Begins with", begun.image().toString());
            begun.mask().ifPresent(mask -> entries.put("Mask", mask.toString()));
            write(begun, Need.ANY_MASK, entries);
            if (begun.settings().get(Settings.MASK_PADDING).isPresent()) entries.put("Inpaint area", "Only masked");
            write(begun, Need.MASK, entries);
        });
        for (int i = 0; i < recipe.loras().size(); i++) {
            Sources.Adapter one = recipe.loras().get(i);
            entries.put("Lora " + i, one.lora() + " " + number(one.strength()));
        }
        for (int i = 0; i < recipe.controls().size(); i++) {
            Sources.Control one = recipe.controls().get(i);
            entries.put(
                    "ControlNet " + i,
                    "Model: " + one.net() + ", Image: " + one.image() + ", Weight: " + number(one.weight())
                            + ", Guidance Start: "
                            + number(one.part().from()) + ", Guidance End: "
                            + number(one.part().to()));
        }
        for (int i = 0; i < recipe.words().size(); i++)
            entries.put("Word " + i, recipe.words().get(i).toString());
        recipe.vae().ifPresent(vae -> {
            entries.put("VAE hash", vae.hash());
            entries.put("VAE", vae.path());
        });
        recipe.checker().ifPresent(checker -> entries.put("Safety checker", checker.toString()));
    }

    private static void write(Sources.Begun begun, Need need, Map<String, String> entries) {
        begun.settings().asMap().forEach((setting, value) -> {
            if (setting.need() == need) entries.put(setting.names(Tool.INFOTEXT).getFirst(), value);
        });
    }

    /** The image that the picture was started from, with the settings that are about it. */
    static Optional<Sources.Begun> start(Map<String, String> entries) {
        return origin(entries, "Begins with").map(image -> begun(image, entries));
    }

    /** A setting's value, taken out of the entries and checked. */
    static Optional<String> take(Setting setting, Map<String, String> entries) {
        Optional<String> value = setting.take(entries);
        try {
            value.ifPresent(setting::check);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "parameters: " + setting.names(Tool.INFOTEXT).getFirst() + ": a number, got " + value.get(), e);
        }
        return value;
    }

    /** Takes out of the entries what it understands; what other tools wrote in another form stays. */
    static Sources read(Map<String, String> entries, Optional<Sources.Begun> start, Request.Text text) {
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
        entries.remove("Inpaint area");
        SettingValues settings = SettingValues.NONE;
        for (Setting setting : Settings.ALL)
            if (setting.need().isOfInitImage()) {
                Optional<String> value = take(setting, entries);
                if (value.isPresent()) settings = settings.with(setting, value.get());
            }
        return new Sources.Begun(image, origin(entries, "Mask"), settings);
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

    /** As short as it can be. */
    private static String number(double value) {
        return value == Math.rint(value) ? String.valueOf((long) value) : String.valueOf(value);
    }

    private static double number(String key, String value) {
        try {
            return Double.parseDouble(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("parameters: " + key + ": a number, got " + value, e);
        }
    }
}
