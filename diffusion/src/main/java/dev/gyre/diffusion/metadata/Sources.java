package dev.gyre.diffusion.metadata;

import dev.gyre.diffusion.file.FileId;
import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.request.InitImage;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.settings.Setting;
import dev.gyre.diffusion.settings.SettingValues;
import dev.gyre.diffusion.settings.Settings;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a picture was made of beside a prompt and a model: files, as its parameters name them. What did not come from a file is called
 * {@link #UNKNOWN}.
 *
 * @param words textual inversions that the prompts speak of
 * @param vae if not the model's own
 * @param checker the safety checker that made it black
 */
public record Sources(
        Optional<Begun> start,
        List<Adapter> loras,
        List<Control> controls,
        List<FileId> words,
        Optional<FileId> vae,
        Optional<FileId> checker) {
    /** A prompt and a model, nothing else. */
    public static final Sources PLAIN =
            new Sources(Optional.empty(), List.of(), List.of(), List.of(), Optional.empty(), Optional.empty());

    /** Something that was computed, and never lay in a file. */
    public static final FileId UNKNOWN = new FileId("no file", "0000000000");

    /**
     * The image that it was started from.
     *
     * @param mask empty where there is none, or where outpainting made it
     * @param settings those that are about the image and its mask
     */
    public record Begun(FileId image, Optional<FileId> mask, SettingValues settings) {}

    /** A LoRA, and how much of it. */
    public record Adapter(FileId lora, double strength) {}

    /** A ControlNet, the picture that it kept to, how much and when. */
    public record Control(FileId net, FileId image, double weight, Request.StepRange part) {}

    /** Copies the lists. */
    public Sources {
        loras = List.copyOf(loras);
        controls = List.copyOf(controls);
        words = List.copyOf(words);
    }

    /** Every file. */
    public List<FileId> files() {
        List<FileId> all = new ArrayList<>();
        start.ifPresent(begun -> {
            all.add(begun.image);
            begun.mask.ifPresent(all::add);
        });
        loras.forEach(one -> all.add(one.lora));
        controls.forEach(one -> all.addAll(List.of(one.net, one.image)));
        all.addAll(words);
        Stream.of(vae, checker).flatMap(Optional::stream).forEach(all::add);
        return all;
    }

    /**
     * What a request is made of, and the model that draws it.
     *
     * @param words that the model was taught, with their files
     * @param vae if not the model's own
     * @param checker the safety checker, if it flags the picture
     */
    public static Sources of(
            Request request, Map<String, Optional<FileId>> words, Optional<FileId> vae, Optional<FileId> checker) {
        return new Sources(
                request.start().map(start -> begun(start, request)),
                request.network().loras().stream()
                        .map(one -> new Adapter(one.lora().origin(), one.strength()))
                        .toList(),
                request.network().controls().stream()
                        .map(one -> new Control(one.net().origin(), origin(one.image()), one.weight(), one.part()))
                        .toList(),
                spoken(request.text(), words),
                vae,
                checker);
    }

    private static Begun begun(InitImage start, Request request) {
        Optional<InitImage.Outpaint> outpaint = start.outpaint();
        SettingValues settings = SettingValues.NONE;
        for (Setting setting : Settings.ALL)
            if (setting.need().isOfInitImage()) {
                Optional<String> value = setting.text(request);
                if (value.isPresent()) settings = settings.with(setting, value.get());
            }
        return new Begun(
                origin(outpaint.map(InitImage.Outpaint::image).orElse(start.image())),
                outpaint.isPresent() ? Optional.empty() : start.mask().map(mask -> origin(mask.image())),
                settings);
    }

    private static FileId origin(Image image) {
        return image.origin().orElse(UNKNOWN);
    }

    private static List<FileId> spoken(Request.Text text, Map<String, Optional<FileId>> words) {
        String said = (text.prompt() + "\n" + text.negative()).toLowerCase(Locale.ROOT);
        return words.entrySet().stream()
                .filter(word -> said.contains(word.getKey().toLowerCase(Locale.ROOT)))
                .flatMap(word -> word.getValue().stream())
                .distinct()
                .toList();
    }
}
