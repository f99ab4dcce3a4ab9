package dev.gyre.server.api;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gyre.core.Precision;
import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.request.InitImage;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.diffusion.sampler.Schedule;
import dev.gyre.server.http.ApiError;
import dev.gyre.server.http.RequestFields;
import dev.gyre.server.images.ImageFormat;
import dev.gyre.server.jobs.JobSpec;
import dev.gyre.server.models.Loader;
import dev.gyre.server.models.LoraFolder;
import dev.gyre.server.models.ModelFile;
import dev.gyre.server.models.Models;
import dev.gyre.server.options.ServerOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Supplier;

/** Understands the fields of the image endpoints: OpenAI's, and what Stable Diffusion has beyond them. */
final class ImageRequestParser {
    private static final int MOST_PICTURES = 10, MOST_LOOKS = 3, LONGEST_PROMPT = 32_000;
    private static final String PICTURE_FIELD = "image";

    /** OpenAI's fields that this model has nothing for. */
    private static final String[] WITHOUT_EFFECT = {"quality", "style", "user", "moderation", "input_fidelity"};

    private final ServerOptions settings;
    private final Models models;
    private final Loader loader;
    private final LoraFolder loras;
    private final UploadedImages pictures;

    ImageRequestParser(
            ServerOptions settings, Models models, Loader loader, LoraFolder loras, UploadedImages pictures) {
        this.settings = settings;
        this.models = models;
        this.loader = loader;
        this.loras = loras;
        this.pictures = pictures;
    }

    /** @throws ApiError naming the field that is not as it has to be */
    ImageRequest read(ImageRequest.Kind kind, RequestFields fields) throws IOException, InterruptedException {
        List<String> notes = new ArrayList<>();
        Optional<String> name = fields.text("model");
        ModelFile model = models.answering(name).orElseThrow(() -> ApiError.unknownModel(name.orElseThrow()));
        if (name.isPresent() && !name.get().equals(model.id()))
            notes.add("there is no model \"" + name.get() + "\" here: " + model.id() + " answers");
        Request request = sampling(text(prompt(kind, fields), fields), fields, model)
                .batch(fields.count("n", 1, MOST_PICTURES).orElse(1));
        OptionalLong seed = fields.integer("seed", -1, Long.MAX_VALUE - MOST_PICTURES);
        // As other tools have it, −1 is any.
        if (seed.isPresent() && seed.getAsLong() >= 0) request = request.seed(seed.getAsLong());
        Optional<Request.Size> size = size(fields);
        request = kind == ImageRequest.Kind.GENERATION ? sized(request, size) : begun(request, fields, size, notes);

        String response = fields.text("response_format", "", List.of("url", "b64_json"));
        boolean stream = fields.flag("stream"), progress = fields.flag("progress");
        int looks = fields.count("partial_images", 0, MOST_LOOKS).orElse(0);
        ImageFormat format = ImageFormat.valueOf(
                fields.text("output_format", "png", ImageFormat.names()).toUpperCase(Locale.ROOT));
        int quality = fields.count("output_compression", 0, 100).orElse(90);
        fields.text("background", "auto", List.of("auto", "opaque"));
        fields.ignore(WITHOUT_EFFECT);
        JobSpec order =
                new JobSpec(model, precision(fields), request, loras(fields), stream ? looks : 0, stream && progress);
        for (String unknown : fields.unknown()) notes.add("the field \"" + unknown + "\" is not known here");
        return new ImageRequest(
                kind,
                order,
                !stream && !response.equals("b64_json"),
                stream || !response.equals("url"),
                format,
                quality,
                stream,
                stream && progress,
                notes);
    }

    /** The model is loaded again where it computes in another. */
    private Precision precision(RequestFields fields) {
        List<Precision> here = loader.precisions();
        List<String> all =
                Arrays.stream(Precision.values()).map(Precision::label).toList();
        Precision wanted =
                Precision.named(fields.text("precision", here.getFirst().label(), all));
        if (here.contains(wanted)) return wanted;
        throw ApiError.invalid(
                "precision",
                "Invalid value for 'precision': "
                        + wanted.refusal()
                                .orElse("this device computes in "
                                        + here.getFirst().label() + " alone") + ".");
    }

    private static String prompt(ImageRequest.Kind kind, RequestFields fields) {
        Optional<String> prompt = fields.text("prompt");
        if (prompt.isEmpty() && kind != ImageRequest.Kind.VARIATION) throw ApiError.missing("prompt");
        checkLength("prompt", prompt.orElse(""));
        return prompt.orElse("");
    }

    private static void checkLength(String field, String text) {
        if (text.length() > LONGEST_PROMPT)
            throw ApiError.invalid(
                    field,
                    "Invalid value for '" + field + "': at most " + LONGEST_PROMPT + " characters, got " + text.length()
                            + ".");
    }

    private static Request text(String prompt, RequestFields fields) {
        String negative = fields.text("negative_prompt").orElse("");
        checkLength("negative_prompt", negative);
        Request request = Request.of(prompt).negative(negative);
        OptionalInt skip = fields.count("clip_skip", 1, 12);
        return skip.isPresent() ? request.with(request.text().clipSkip(skip.getAsInt())) : request;
    }

    private Request sampling(Request request, RequestFields fields, ModelFile model) {
        ServerOptions.Defaults defaults = settings.defaults();
        int steps = fields.count("num_inference_steps", 1, settings.limits().steps())
                .orElse(defaults.steps().orElse(model.steps()));
        double guidance = fields.number("guidance_scale", 0, 100)
                .orElse(defaults.guidance().orElse(model.guidance()));
        // diffusers calls samplers schedulers.
        String field =
                fields.value("scheduler").isPresent() && fields.value("sampler").isEmpty() ? "scheduler" : "sampler";
        Sampler sampler = named(field, () -> Sampler.named(fields.text(field).orElse(defaults.sampler())));
        Optional<String> schedule = fields.text("schedule");
        if (schedule.isPresent()) {
            Schedule on = named("schedule", () -> Schedule.named(schedule.get()));
            sampler = sampler.on(on);
        }
        return request.steps(steps).guidance(guidance).sampler(sampler);
    }

    /** Runs what finds a thing by its name and says which field it was when there is none. */
    private static <T> T named(String field, Supplier<T> find) {
        try {
            return find.get();
        } catch (IllegalArgumentException e) {
            throw ApiError.invalid(field, "Invalid value for '" + field + "': " + e.getMessage() + ".");
        }
    }

    /** Empty where it is left to the model or to the picture that is sent. */
    private Optional<Request.Size> size(RequestFields fields) {
        Optional<String> text = fields.text("size").filter(size -> !size.equals("auto"));
        if (text.isEmpty()) return Optional.empty();
        Request.Size size;
        try {
            size = Request.Size.parse(text.get());
        } catch (IllegalArgumentException e) {
            throw ApiError.invalid(
                    "size", "Invalid value for 'size': expected WIDTHxHEIGHT or auto, got '" + text.get() + "'.");
        }
        boolean eights = size.width() >= 8 && size.height() >= 8 && size.width() % 8 == 0 && size.height() % 8 == 0;
        if (!eights || (long) size.width() * size.height() > settings.limits().pixels())
            throw ApiError.invalid(
                    "size",
                    "Invalid value for 'size': multiples of 8, and at most "
                            + settings.limits().pixels() + " pixels in all, got " + size + ".");
        return Optional.of(size);
    }

    private static Request sized(Request request, Optional<Request.Size> size) {
        return size.isPresent() ? request.size(size.get().width(), size.get().height()) : request;
    }

    /** With the picture that it begins with, at the size asked for or at its own, as far as the limit allows. */
    private Request begun(Request request, RequestFields fields, Optional<Request.Size> asked, List<String> notes)
            throws InterruptedException {
        List<byte[]> files = pictures.files(fields, PICTURE_FIELD);
        if (files.isEmpty()) throw ApiError.missing(PICTURE_FIELD);
        if (files.size() > 1) notes.add("only the first of " + files.size() + " images is used");
        Image image = pictures.read(files.get(0), PICTURE_FIELD);
        Optional<Image> mask = pictures.mask(fields, image);
        Request.Size size = asked.orElseGet(() -> fit(image));
        if (asked.isEmpty() && (size.width() < image.width() / 8 * 8))
            notes.add("the image is " + image.width() + "x" + image.height() + ": drawn at " + size);
        // A mask says where all is new; without one the picture shows through.
        double strength = fields.number("strength", 0, 1).orElse(mask.isPresent() ? 1 : 0.8);
        InitImage start =
                InitImage.of(image.resize(size.width(), size.height())).strength(strength);
        OptionalDouble blur = fields.number("mask_blur", 0, 256);
        if (mask.isPresent()) start = start.mask(InitImage.Mask.of(mask.get()).blur(blur.orElse(InitImage.Mask.BLUR)));
        return request.size(size.width(), size.height()).with(start);
    }

    private Request.Size fit(Image image) {
        double pixels = (double) image.width() * image.height();
        double scale = Math.min(1, Math.sqrt(settings.limits().pixels() / pixels));
        return new Request.Size(eight(image.width() * scale), eight(image.height() * scale));
    }

    private static int eight(double pixels) {
        return Math.max(8, (int) (pixels / 8) * 8);
    }

    /** {@code [{"name": …, "strength": …}, …]}, or {@code "name:strength, …"}. */
    private List<JobSpec.Lora> loras(RequestFields fields) throws IOException {
        Optional<JsonNode> value = fields.value("lora");
        if (value.isEmpty()) return List.of();
        List<JobSpec.Lora> wanted = new ArrayList<>();
        if (value.get().isTextual())
            for (String one : value.get().textValue().split(",")) wanted.add(lora(one.strip()));
        else if (value.get().isArray()) for (JsonNode one : value.get()) wanted.add(lora(one));
        else wanted.add(lora(value.get()));
        for (JobSpec.Lora lora : wanted)
            if (loras.find(lora.name()).isEmpty())
                throw ApiError.invalid(
                        "lora",
                        "Invalid value for 'lora': there is none called '" + lora.name() + "'"
                                + (loras.names().isEmpty() ? "." : "; there are " + String.join(", ", loras.names())));
        return wanted;
    }

    private static JobSpec.Lora lora(JsonNode one) {
        if (one.isTextual()) return lora(one.textValue());
        JsonNode strength = one.path("strength");
        if (!one.path("name").isTextual() || !strength.isMissingNode() && !strength.isNumber()) throw loraShape();
        return new JobSpec.Lora(one.path("name").textValue(), strength.asDouble(1));
    }

    private static JobSpec.Lora lora(String text) {
        int colon = text.lastIndexOf(':');
        try {
            double strength = colon < 0 ? 1 : Double.parseDouble(text.substring(colon + 1));
            if (!Double.isFinite(strength)) throw loraShape();
            return new JobSpec.Lora(colon < 0 ? text : text.substring(0, colon), strength);
        } catch (NumberFormatException e) {
            throw loraShape();
        }
    }

    private static ApiError loraShape() {
        return ApiError.invalid(
                "lora", "Invalid value for 'lora': expected [{\"name\": …, \"strength\": …}] or \"name:strength\".");
    }
}
