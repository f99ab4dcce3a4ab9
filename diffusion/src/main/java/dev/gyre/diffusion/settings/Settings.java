package dev.gyre.diffusion.settings;

import static dev.gyre.diffusion.settings.Tool.DIFFUSERS;
import static dev.gyre.diffusion.settings.Tool.INFOTEXT;
import static dev.gyre.diffusion.settings.Tool.SDCPP;
import static dev.gyre.diffusion.settings.Tool.WEBUI;

import dev.gyre.diffusion.noise.NoiseSource;
import dev.gyre.diffusion.request.Conditions;
import dev.gyre.diffusion.request.HiresFix;
import dev.gyre.diffusion.request.InitImage;
import dev.gyre.diffusion.request.Range;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.request.Request.Sampling;
import dev.gyre.diffusion.request.Request.Variation;
import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.diffusion.sampler.Schedule;
import dev.gyre.diffusion.sampler.Spacing;
import dev.gyre.diffusion.sampler.Stochastic;
import dev.gyre.diffusion.settings.Setting.Group;
import dev.gyre.diffusion.settings.Setting.Need;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.ServiceLoader;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;

/**
 * The table of settings. To add one, add a declaration here and its name to {@link #ALL}; where it is new to requests, too, a component
 * to {@link Request}. Values come, in this order, from the request, from the operator of the service, from the model and from this table.
 */
public final class Settings {
    /** A request without settings. */
    static final Request BLANK = Request.of("");

    /** A request's or an operator's seed of this value is as good as none: a random one is drawn. */
    private static final long RANDOM = -1;

    private Settings() {}

    // --- prompt

    /** The prompt. */
    public static final Setting PROMPT = Setting.text("prompt", "PROMPT")
            .in(Group.PROMPT)
            .help("What the picture is to show.")
            .known(WEBUI, "prompt")
            .known(DIFFUSERS, "prompt")
            .known(SDCPP, "-p", "--prompt")
            .stored(
                    (request, text) -> request.with(request.text().prompt(text)),
                    request -> Optional.of(request.text().prompt()));

    /** The negative prompt. */
    public static final Setting NEGATIVE = Setting.text("negative", "PROMPT")
            .in(Group.PROMPT)
            .help("Negative prompt: what guidance moves away from.")
            .field("negative_prompt")
            .known(WEBUI, "negative_prompt")
            .known(DIFFUSERS, "negative_prompt")
            .known(SDCPP, "-n", "--negative-prompt")
            .stored(Request::negative, request -> Optional.of(request.text().negative()));

    /** The text encoder's layer. */
    public static final Setting CLIP_SKIP = Setting.integer("clip-skip", "N", Range.of(1, 12))
            .in(Group.PROMPT)
            .help("Take the text encoder's Nth layer from the last; 1 is the last. (diffusers counts from 0.)")
            .known(INFOTEXT, "Clip skip")
            .known(WEBUI, "CLIP_stop_at_last_layers")
            .known(SDCPP, "--clip-skip")
            .stored(
                    (request, n) -> request.with(request.text().clipSkip(n)),
                    request -> Optional.of(request.text().clipSkip()));

    /** No prompt syntax. */
    public static final Setting PLAIN_PROMPT = Setting.flag("plain-prompt")
            .in(Group.PROMPT)
            .help(
                    "Take prompts literally and cut them at 75 tokens, as diffusers does; otherwise (word:1.3), [from:to:0.5], [a|b] and"
                            + " BREAK mean what they mean in AUTOMATIC1111.")
            .known(INFOTEXT, "Plain prompt")
            .stored(
                    (request, plain) -> request.with(request.text().plain(plain)),
                    request -> Optional.of(request.text().plain()));

    // --- sampling

    /** Steps of the sampler. */
    public static final Setting STEPS = Setting.integer("steps", "N", Sampling.STEPS)
            .in(Group.SAMPLING)
            .help("Sampling steps.")
            .standard(25)
            .standardInWords("25; small models have 20")
            .field("num_inference_steps")
            .known(INFOTEXT, "Steps")
            .known(WEBUI, "steps")
            .known(DIFFUSERS, "num_inference_steps")
            .known(SDCPP, "--steps")
            .stored(Request::steps, request -> boxed(request.sampling().steps()));

    /** The sampler. */
    public static final Setting SAMPLER = Setting.of("sampler", "NAME", Sampler::named, Settings::name)
            .in(Group.SAMPLING)
            .help("Sampler, by any tool's name for it.")
            .standard(Sampler.named("ddim"))
            .choices(() -> Sampler.ALL.stream().map(Settings::name).toList())
            .infotext(Sampler::displayName)
            .known(INFOTEXT, "Sampler")
            .known(WEBUI, "sampler_name", "sampler_index")
            .known(DIFFUSERS, "scheduler")
            .known(SDCPP, "--sampling-method")
            .stored(Request::sampler, request -> request.sampling().sampler());

    /** The sampler's noise levels. */
    public static final Setting SCHEDULE = Setting.of(
                    "schedule", "NAME", Schedule::named, schedule -> schedule.aliases()
                            .getFirst())
            .in(Group.SAMPLING)
            .help("Noise schedule: the levels that the sampler steps through.")
            .standardInWords("the sampler's own")
            .choices(() -> Arrays.stream(Spacing.values())
                    .map(spacing -> spacing.aliases().getFirst())
                    .toList())
            .infotext(Schedule::displayName)
            .infotextNothing("Automatic")
            .known(INFOTEXT, "Schedule type")
            .known(WEBUI, "scheduler")
            .known(SDCPP, "--scheduler")
            .stored(Settings::scheduled, request -> request.sampling().sampler().map(Sampler::schedule));

    /** Classifier-free guidance. */
    public static final Setting GUIDANCE = Setting.number("guidance", "SCALE", Range.of(0, 100))
            .in(Group.SAMPLING)
            .help("Classifier-free guidance scale; 1 and below turn it off, which is twice as fast.")
            .standard(7.5)
            .standardInWords("7.5; small models have 5")
            .field("guidance_scale")
            .known(INFOTEXT, "CFG scale")
            .known(WEBUI, "cfg_scale")
            .known(DIFFUSERS, "guidance_scale")
            .known(SDCPP, "--cfg-scale")
            .stored(Request::guidance, request -> boxed(request.sampling().guidance()));

    // --- image and noise

    /** The seed. */
    public static final Setting SEED = Setting.whole("seed", "N")
            .in(Group.IMAGE)
            .help("Seed of the noise; picture i of a batch has seed + i. -1 draws one at random.")
            .standardInWords("random")
            .known(INFOTEXT, "Seed")
            .known(WEBUI, "seed")
            .known(SDCPP, "-s", "--seed")
            .stored(Settings::seeded, request -> boxed(request.noise().seed()));

    /** Width and height. */
    public static final Setting SIZE = Setting.of("size", "WxH", Request.Size::parse, Request.Size::toString)
            .in(Group.IMAGE)
            .help("Width and height in pixels, multiples of 8.")
            .standardInWords("the model's, as 512x512; an image's own")
            .known(INFOTEXT, "Size")
            .stored((request, size) -> request.size(size.width(), size.height()), Request::size);

    /** How many pictures. */
    public static final Setting BATCH = Setting.integer("batch", "N", Range.of(1, Integer.MAX_VALUE))
            .in(Group.IMAGE)
            .help("Pictures to draw.")
            .field("n")
            .known(WEBUI, "batch_size")
            .known(DIFFUSERS, "num_images_per_prompt")
            .known(SDCPP, "-b", "--batch-count")
            .notSwept()
            .stored(Request::batch, request -> Optional.of(request.batch()));

    /** Whose random numbers. */
    public static final Setting RNG = Setting.of("rng", "NAME", Settings::source, NoiseSource::displayName)
            .in(Group.NOISE)
            .help("Random numbers that a seed stands for: cpu (diffusers on a CPU, ComfyUI) or cuda (AUTOMATIC1111,"
                    + " stable-diffusion.cpp, diffusers on a GPU).")
            .choices(() -> Arrays.stream(NoiseSource.values())
                    .map(NoiseSource::displayName)
                    .toList())
            .infotext(source -> source == NoiseSource.CPU ? "CPU" : "NV")
            // AUTOMATIC1111 says nothing when it draws on the GPU, "NV" when it computes the GPU's numbers on the CPU.
            .infotextDefault("NV")
            .writtenWhen(request -> true)
            .known(INFOTEXT, "RNG")
            .known(WEBUI, "randn_source")
            .known(SDCPP, "--rng")
            .stored(
                    (request, source) -> request.with(request.noise().source(source)),
                    request -> Optional.of(request.noise().source()));

    /** Another seed, mixed in. */
    public static final Setting VARIATION_SEED = Setting.whole("variation-seed", "N")
            .in(Group.NOISE)
            .help(
                    "Seed of a variation: the noise is interpolated towards this seed's by the variation strength; picture i of a batch has"
                            + " this + i.")
            .known(INFOTEXT, "Variation seed")
            .known(WEBUI, "subseed")
            .stored(
                    (request, seed) -> seed == RANDOM
                            ? request
                            : request.with(request.noise()
                                    .variation(new Variation(
                                            seed,
                                            request.noise()
                                                    .variation()
                                                    .map(Variation::strength)
                                                    .orElse(0.0)))),
                    request -> request.noise().variation().map(Variation::seed));

    /** How much of it. */
    public static final Setting VARIATION_STRENGTH = Setting.number("variation-strength", "0..1", Variation.STRENGTH)
            .in(Group.NOISE)
            .help("Weight of the variation's noise: 0 none, 1 nothing but it.")
            .needs(Need.VARIATION)
            .standard(0.0)
            .known(INFOTEXT, "Variation seed strength")
            .known(WEBUI, "subseed_strength")
            .stored(
                    (request, strength) -> request.with(request.noise()
                            .variation(new Variation(
                                    request.noise().variation().orElseThrow().seed(), strength))),
                    request -> request.noise().variation().map(Variation::strength));

    /** The seed of the steps' noise. */
    public static final Setting ETA_NOISE_SEED_DELTA = Setting.whole("eta-noise-seed-delta", "N")
            .in(Group.NOISE)
            .help("ENSD: the noise that steps add is that of seed + N; 0 continues the initial noise.")
            .known(INFOTEXT, "ENSD")
            .known(WEBUI, "eta_noise_seed_delta")
            .stored(
                    (request, delta) -> request.with(request.noise().stepSeedDelta(delta)),
                    request -> Optional.of(request.noise().stepSeedDelta()));

    // --- sampling, continued: in PNGs behind what AUTOMATIC1111 begins with

    /** Noise that the sampler adds. */
    public static final Setting ETA = Setting.number("eta", "0..1", Range.of(0, 1))
            .in(Group.SAMPLING)
            .help("Noise that each step adds, for samplers that add any.")
            .standardInWords("ddim 0, others 1")
            .known(INFOTEXT, "Eta")
            .known(WEBUI, "eta")
            .known(DIFFUSERS, "eta")
            .known(SDCPP, "--eta")
            .writtenWhen(request -> request.sampling()
                    .sampler()
                    .filter(sampler -> !Sampler.ALL.contains(sampler.bare()))
                    .isPresent())
            .stored((request, eta) -> request.sampler(sampler(request).withEta(eta)), request -> request.sampling()
                    .sampler()
                    .map(Sampler::bare)
                    .filter(Stochastic.class::isInstance)
                    .map(sampler -> ((Stochastic) sampler).eta()));

    /** The steps with guidance. */
    public static final Setting GUIDANCE_INTERVAL = Setting.of(
                    "guidance-interval", "FROM-TO", Request.StepRange::parse, Request.StepRange::toString)
            .in(Group.SAMPLING)
            .help("Fraction of the steps with guidance, as in 0.2-0.8; elsewhere the prompt alone counts.")
            .standardInWords("all steps")
            .known(INFOTEXT, "Guidance interval")
            .stored(
                    (request, steps) -> request.with(request.sampling().guided(steps)),
                    request -> Optional.of(request.sampling().guided()));

    // --- image to image

    /** Pixels beyond the image's edges. */
    public static final Setting OUTPAINT = Setting.text("outpaint", "L,T,R,B")
            .in(Group.INIT_IMAGE)
            .help(
                    "Enlarge the image by so many pixels to the left, at the top, to the right and at the bottom, and paint those.")
            .needs(Need.IMAGE)
            .known(INFOTEXT, "Outpaint")
            .notServed()
            .stored(
                    Settings::outpainted,
                    request -> request.start().flatMap(InitImage::outpaint).map(InitImage.Outpaint::sides));

    /** How far from the image. */
    public static final Setting STRENGTH = Setting.number("strength", "0..1", InitImage.STRENGTHS)
            .in(Group.INIT_IMAGE)
            .help("Denoising strength: 0 keeps the image, 1 keeps nothing of it.")
            .needs(Need.IMAGE)
            .standard(InitImage.STRENGTH)
            .standardInWords("0.75; 1 where an image is outpainted")
            .known(INFOTEXT, "Denoising strength")
            .known(WEBUI, "denoising_strength")
            .known(DIFFUSERS, "strength")
            .known(SDCPP, "--strength")
            .stored((request, strength) -> request.with(start(request).strength(strength)), request -> request.start()
                    .map(InitImage::strength));

    /** The mask's edge. */
    public static final Setting MASK_BLUR = Setting.number("mask-blur", "PIXELS", InitImage.Mask.BLURS)
            .in(Group.INIT_IMAGE)
            .help("Standard deviation of the mask's blur, in pixels.")
            .needs(Need.ANY_MASK)
            .standard(InitImage.Mask.BLUR)
            .known(INFOTEXT, "Mask blur")
            .known(WEBUI, "mask_blur")
            .stored(
                    (request, blur) -> request.with(
                            start(request).mask(mask(request).orElseThrow().blur(blur))),
                    request -> mask(request).map(InitImage.Mask::blur));

    /** The surroundings of the mask. */
    public static final Setting MASK_PADDING = Setting.integer("mask-padding", "PIXELS", InitImage.Mask.PADDINGS)
            .in(Group.INIT_IMAGE)
            .help(
                    "Draw only the masked area with so many pixels around it, at the full size, and put it back: for small details.")
            .needs(Need.MASK)
            .standardInWords("off: the whole image is drawn")
            .known(INFOTEXT, "Masked area padding")
            .known(WEBUI, "inpaint_full_res_padding")
            .known(DIFFUSERS, "padding_mask_crop")
            .notServed()
            .stored(
                    (request, pixels) -> request.with(
                            start(request).mask(mask(request).orElseThrow().closeUp(pixels))),
                    request -> mask(request).flatMap(mask -> boxed(mask.closeUp())));

    // --- hires fix

    /** The second pass's scale. */
    public static final Setting HIRES = Setting.number("hires", "SCALE", HiresFix.SCALES)
            .in(Group.HIRES)
            .help("Enlarge the result, as in 1.5 or 2, and refine it in a second pass.")
            .standardInWords("off")
            .known(INFOTEXT, "Hires upscale")
            .known(WEBUI, "hr_scale")
            .stored(
                    (request, scale) ->
                            request.with(request.hires().orElse(HiresFix.TWICE).scale(scale)),
                    request -> request.hires().map(HiresFix::scale));

    /** How far the second pass goes. */
    public static final Setting HIRES_STRENGTH = Setting.number("hires-strength", "0..1", HiresFix.STRENGTHS)
            .in(Group.HIRES)
            .help("Denoising strength of the second pass.")
            .needs(Need.HIRES)
            .standard(HiresFix.TWICE.strength())
            .known(INFOTEXT, "Denoising strength", "Hires strength")
            .stored((request, strength) -> request.with(hires(request).strength(strength)), request -> request.hires()
                    .map(HiresFix::strength));

    /** How it is enlarged. */
    public static final Setting HIRES_UPSCALER = Setting.of(
                    "hires-upscaler", "NAME", Settings::isLatentUpscaler, latent -> latent ? "latent" : "lanczos")
            .in(Group.HIRES)
            .help("latent: bilinear on latents; lanczos: Lanczos on the decoded image.")
            .needs(Need.HIRES)
            .standard(HiresFix.TWICE.latent())
            .choices(() -> List.of("latent", "lanczos"))
            .infotext(latent -> latent ? "Latent" : "Lanczos")
            .known(INFOTEXT, "Hires upscaler")
            .known(WEBUI, "hr_upscaler")
            .stored((request, latent) -> request.with(hires(request).latent(latent)), request -> request.hires()
                    .map(HiresFix::latent));

    /** Steps of the second pass. */
    public static final Setting HIRES_STEPS = Setting.integer("hires-steps", "N", Sampling.STEPS)
            .in(Group.HIRES)
            .help("Steps of the second pass's schedule.")
            .needs(Need.HIRES)
            .standardInWords("those of the first pass")
            .infotextNothing("0")
            .known(INFOTEXT, "Hires steps")
            .known(WEBUI, "hr_second_pass_steps")
            .stored((request, steps) -> request.with(hires(request).steps(steps)), request -> request.hires()
                    .flatMap(hires -> boxed(hires.steps())));

    // --- networks

    /** Pictures that tile. */
    public static final Setting SEAMLESS = Setting.flag("seamless")
            .in(Group.NETWORKS)
            .help("Circular padding: the picture continues at its opposite edges, as a texture's tile does.")
            .known(INFOTEXT, "Tiling")
            .known(WEBUI, "tiling")
            .known(SDCPP, "--circular")
            .stored(
                    (request, on) -> request.with(request.network().tileable(on)),
                    request -> Optional.of(request.network().tileable()));

    /** Steps that reuse inner blocks. */
    public static final Setting DEEPCACHE = Setting.of(
                    "deepcache", "EVERY[:BLOCKS]", Conditions.Reuse::parse, Conditions.Reuse::toString)
            .in(Group.NETWORKS)
            .help(
                    "DeepCache: run the whole UNet in every Nth step, in between only the outermost of its 12 blocks, as in 2 or 3:2;"
                            + " faster and less exact.")
            .standardInWords("off")
            .known(INFOTEXT, "DeepCache")
            .stored((request, reuse) -> request.with(request.network().reuse(reuse)), request -> request.network()
                    .reuse());

    /** Decoding in tiles. */
    public static final Setting VAE_TILING = Setting.flag("vae-tiling")
            .in(Group.NETWORKS)
            .help("Run the VAE in tiles even where the whole image would fit into memory.")
            .known(INFOTEXT, "VAE tiling")
            .known(SDCPP, "--vae-tiling")
            .stored(
                    (request, on) -> request.with(request.network().vaeTiling(on)),
                    request -> Optional.of(request.network().vaeTiling()));

    /** All settings, in the order in which they are applied and in which PNGs list them. */
    public static final List<Setting> ALL = all(
            PROMPT,
            NEGATIVE,
            STEPS,
            SAMPLER,
            SCHEDULE,
            GUIDANCE,
            SEED,
            SIZE,
            BATCH,
            CLIP_SKIP,
            PLAIN_PROMPT,
            RNG,
            VARIATION_SEED,
            VARIATION_STRENGTH,
            ETA_NOISE_SEED_DELTA,
            ETA,
            GUIDANCE_INTERVAL,
            OUTPAINT,
            STRENGTH,
            MASK_BLUR,
            MASK_PADDING,
            HIRES,
            HIRES_STRENGTH,
            HIRES_UPSCALER,
            HIRES_STEPS,
            SEAMLESS,
            DEEPCACHE,
            VAE_TILING);

    /** {@link #SIZE} in two: what most tools have. */
    static final String WIDTH = "width", HEIGHT = "height";

    private static final Map<String, List<Setting>> BY_NAME = byName();

    private static List<Setting> all(Setting... own) {
        List<Setting> all = new ArrayList<>(List.of(own));
        for (SettingProvider provider : ServiceLoader.load(SettingProvider.class, Settings.class.getClassLoader()))
            all.addAll(provider.settings());
        return List.copyOf(all);
    }

    private static Map<String, List<Setting>> byName() {
        Map<String, List<Setting>> names = new HashMap<>();
        for (Setting setting : ALL)
            for (String name : setting.fields())
                names.computeIfAbsent(normal(name), n -> new ArrayList<>()).add(setting);
        return names;
    }

    // --- by name

    /**
     * The setting of a name: Gyre's, with hyphens or underscores, or another tool's. Where two tools give one name to two settings, as
     * {@code scheduler}, it is the one that takes the value.
     */
    public static Optional<Setting> named(String name, String value) {
        List<Setting> candidates = BY_NAME.getOrDefault(normal(name), List.of());
        return candidates.stream()
                .filter(setting -> setting.takes(value))
                .findFirst()
                .or(() -> candidates.stream().findFirst());
    }

    /** Whether a name is a setting's, or {@code width} or {@code height}, which are a setting together. */
    public static boolean isName(String name) {
        return BY_NAME.containsKey(normal(name)) || isSide(name);
    }

    /** Whether a sweep may have a column of this name. */
    public static boolean isSwept(String name) {
        return isSide(name)
                || BY_NAME.getOrDefault(normal(name), List.of()).stream().anyMatch(Setting::isSwept);
    }

    static boolean isSide(String name) {
        return normal(name).equals(WIDTH) || normal(name).equals(HEIGHT);
    }

    static String normal(String name) {
        return name.toLowerCase(Locale.ROOT).replace('-', '_');
    }

    /** The setting that an error message is about: it begins with the {@linkplain Setting#label() label}. */
    public static Optional<Setting> about(String message) {
        int colon = message.indexOf(':');
        String label = colon < 0 ? message : message.substring(0, colon);
        return ALL.stream().filter(setting -> setting.label().equals(label)).findFirst();
    }

    /** Columns of a sweep's settings, with commas between, for messages. */
    public static String sweptNames() {
        return ALL.stream().filter(Setting::isSwept).map(Setting::column).collect(Collectors.joining(", "));
    }

    // --- what nobody asked for

    /**
     * The request with a value for everything that it leaves empty: the model's, else the table's; the seed is drawn at random.
     *
     * @param model what the model has values of its own for
     */
    public static Request complete(Request request, SettingValues model) {
        for (Setting setting : ALL) {
            if (!setting.need().isMet(request) || setting.text(request).isPresent()) continue;
            Optional<String> value = model.get(setting).or(setting::standard);
            if (value.isPresent()) request = setting.apply(request, value.get());
        }
        return request.noise().seed().isPresent()
                ? request
                : request.seed(ThreadLocalRandom.current().nextLong(1L << 32));
    }

    // --- how requests keep them

    private static String name(Sampler sampler) {
        List<String> names = sampler.bare().aliases();
        return names.isEmpty() ? sampler.displayName() : names.getFirst();
    }

    private static Sampler sampler(Request request) {
        return request.sampling()
                .sampler()
                .orElseGet(() -> Sampler.named(SAMPLER.standard().orElseThrow()));
    }

    private static Request scheduled(Request request, Schedule schedule) {
        return request.sampler(sampler(request).on(schedule));
    }

    private static Request seeded(Request request, long seed) {
        if (seed != RANDOM) return request.seed(seed);
        Request.Noise noise = request.noise();
        return request.with(
                new Request.Noise(OptionalLong.empty(), noise.source(), noise.variation(), noise.stepSeedDelta()));
    }

    /** AUTOMATIC1111 has two names for the GPU's numbers. */
    private static NoiseSource source(String name) {
        return name.equalsIgnoreCase("NV") || name.equalsIgnoreCase("GPU") ? NoiseSource.CUDA : NoiseSource.named(name);
    }

    private static Request outpainted(Request request, String sides) {
        InitImage start = start(request);
        if (start.mask().isPresent())
            throw new IllegalArgumentException("outpaint: makes a mask of its own, and goes with no other");
        return request.with(InitImage.of(InitImage.Outpaint.parse(start.image(), sides)));
    }

    /** AUTOMATIC1111 has several ways of enlarging latents. */
    private static boolean isLatentUpscaler(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        if (lower.startsWith("latent")) return true;
        if (lower.equals("lanczos")) return false;
        throw new IllegalArgumentException("hires upscaler: latent or lanczos, got " + name);
    }

    private static InitImage start(Request request) {
        return request.start().orElseThrow();
    }

    private static Optional<InitImage.Mask> mask(Request request) {
        return request.start().flatMap(InitImage::mask);
    }

    private static HiresFix hires(Request request) {
        return request.hires().orElseThrow();
    }

    private static Optional<Integer> boxed(OptionalInt value) {
        return value.isPresent() ? Optional.of(value.getAsInt()) : Optional.empty();
    }

    private static Optional<Long> boxed(OptionalLong value) {
        return value.isPresent() ? Optional.of(value.getAsLong()) : Optional.empty();
    }

    private static Optional<Double> boxed(OptionalDouble value) {
        return value.isPresent() ? Optional.of(value.getAsDouble()) : Optional.empty();
    }
}
