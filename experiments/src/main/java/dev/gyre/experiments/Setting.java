package dev.gyre.experiments;

import dev.gyre.diffusion.noise.NoiseSource;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Ddim;
import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.diffusion.sampler.Schedule;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** What a sweep may vary, by the names that columns and grids have for it. They are applied in this order. */
public enum Setting {
    /** What should be seen. */
    PROMPT,
    /** What should not. */
    NEGATIVE,
    /** Which of the text encoder's layers is listened to, counted from the last, 1. */
    CLIP_SKIP,
    /** Whether the texts are taken as they stand: {@code true} or {@code false}. */
    PLAIN,
    /** A sampler's name. */
    SAMPLER,
    /** A schedule's name; else the sampler's own. */
    SCHEDULE,
    /** How much noise the sampler takes on its way, 0 to 1. */
    ETA,
    /** Of the sampler, 1 to 1000. */
    STEPS,
    /** How much the prompt counts. */
    GUIDANCE,
    /** The part of the steps that guidance is on for, as in {@code 0.2-0.8}. */
    GUIDED,
    /** Where the noise begins. */
    SEED,
    /** Whose numbers a seed stands for: {@code cpu} or {@code cuda}. */
    NOISE,
    /** In pixels, as in {@code 512x768}. */
    SIZE;

    /** As in {@code clip_skip}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The setting of this name. */
    public static Optional<Setting> named(String name) {
        return Arrays.stream(values())
                .filter(setting -> setting.label().equals(name.toLowerCase(Locale.ROOT)))
                .findFirst();
    }

    /** All names, for errors. */
    static String names() {
        return Arrays.stream(values()).map(Setting::label).collect(Collectors.joining(", "));
    }

    /**
     * The request with this setting.
     *
     * @throws IllegalArgumentException when the value makes no sense, naming the setting
     */
    Request apply(Request request, String value) {
        Request.Sampling sampling = request.sampling();
        Sampler sampler = sampling.sampler().orElse(new Ddim(0));
        return switch (this) {
            case PROMPT -> request.with(request.text().prompt(value));
            case NEGATIVE -> request.negative(value);
            case CLIP_SKIP -> request.with(request.text().clipSkip((int) whole(value)));
            case PLAIN -> request.with(request.text().plain(truth(value)));
            case SAMPLER -> request.sampler(Sampler.named(value));
            case SCHEDULE -> request.sampler(sampler.on(Schedule.named(value)));
            case ETA -> request.sampler(sampler.noisy(number(value)));
            case STEPS -> request.steps((int) whole(value));
            case GUIDANCE -> request.guidance(number(value));
            case GUIDED -> request.with(sampling.guided(Request.StepRange.parse(value)));
            case SEED -> request.seed(whole(value));
            case NOISE -> request.with(request.noise().source(NoiseSource.named(value)));
            case SIZE -> {
                Request.Size size = Request.Size.parse(value);
                yield request.size(size.width(), size.height());
            }
        };
    }

    private long whole(String value) {
        try {
            long number = Long.parseLong(value);
            if (this == SEED || number == (int) number) return number;
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw new IllegalArgumentException(label() + ": a whole number, got \"" + value + "\"");
    }

    private double number(String value) {
        try {
            return Double.parseDouble(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(label() + ": a number, got \"" + value + "\"", e);
        }
    }

    private boolean truth(String value) {
        if (!value.equals("true") && !value.equals("false"))
            throw new IllegalArgumentException(label() + ": true or false, got \"" + value + "\"");
        return value.equals("true");
    }
}
