package dev.gyre.server.api;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gyre.core.Precision;
import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.request.InitImage;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.settings.SettingValues;
import dev.gyre.diffusion.settings.Settings;
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

/** Parses the fields of the image endpoints: OpenAI's, and the settings of Stable Diffusion. */
final class ImageRequestParser {
    /** OpenAI's edit endpoint repaints what a mask leaves transparent. The operator's default and the request override it. */
    private static final SettingValues MASKED = SettingValues.NONE.with(Settings.STRENGTH, "1");

    private static final int MOST_LOOKS = 3;
    private static final String PICTURE_FIELD = "image";

    /** OpenAI's fields that have no effect here. */
    private static final String[] WITHOUT_EFFECT = {"quality", "style", "user", "moderation", "input_fidelity"};

    private final ServerOptions options;
    private final SettingFields settings;
    private final Models models;
    private final Loader loader;
    private final LoraFolder loras;
    private final UploadedImages pictures;

    ImageRequestParser(
            ServerOptions options,
            SettingFields settings,
            Models models,
            Loader loader,
            LoraFolder loras,
            UploadedImages pictures) {
        this.options = options;
        this.settings = settings;
        this.models = models;
        this.loader = loader;
        this.loras = loras;
        this.pictures = pictures;
    }

    /** @throws ApiError naming an invalid field */
    ImageRequest read(ImageRequest.Kind kind, RequestFields fields) throws IOException, InterruptedException {
        List<String> notes = new ArrayList<>();
        Optional<String> name = fields.text("model");
        ModelFile model = models.answering(name).orElseThrow(() -> ApiError.unknownModel(name.orElseThrow()));
        if (name.isPresent() && !name.get().equals(model.id()))
            notes.add("there is no model \"" + name.get() + "\" here: " + model.id() + " answers");
        SettingFields.Given given = settings.read(kind, fields);
        if (given.values().get(Settings.PROMPT).isEmpty() && kind != ImageRequest.Kind.VARIATION)
            throw ApiError.missing("prompt");
        SettingValues operator = options.defaults().values();
        Request request = Request.of("");
        if (kind != ImageRequest.Kind.GENERATION) {
            request = started(given.values().or(operator).get(Settings.SIZE).map(Request.Size::parse), fields, notes);
            if (request.start().orElseThrow().mask().isPresent()) operator = operator.or(MASKED);
        }
        request = given.apply(request, operator);
        checkHires(request, model, given);

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

    /** Another precision than the loaded model's loads it again. */
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

    private void checkHires(Request request, ModelFile model, SettingFields.Given given) {
        if (request.hires().isEmpty()) return;
        Request.Size size = model.complete(request).size().orElseThrow();
        double scale = request.hires().get().scale();
        if (size.width() * scale * size.height() * scale > options.limits().pixels())
            throw ApiError.invalid(
                    given.names().get(Settings.HIRES),
                    "hires: at most " + options.limits().pixels() + " pixels in all, got " + scale + " times " + size
                            + ".");
    }

    /** A request that starts from the uploaded image, at the requested size or its own within the limit. */
    private Request started(Optional<Request.Size> asked, RequestFields fields, List<String> notes)
            throws InterruptedException {
        List<byte[]> files = pictures.files(fields, PICTURE_FIELD);
        if (files.isEmpty()) throw ApiError.missing(PICTURE_FIELD);
        if (files.size() > 1) notes.add("only the first of " + files.size() + " images is used");
        Image image = pictures.read(files.get(0), PICTURE_FIELD);
        Optional<Image> mask = pictures.mask(fields, image);
        Request.Size size = asked.orElseGet(() -> fit(image));
        if (asked.isEmpty() && (size.width() < image.width() / 8 * 8))
            notes.add("the image is " + image.width() + "x" + image.height() + ": drawn at " + size);
        InitImage start = InitImage.of(image.resize(size.width(), size.height()));
        if (mask.isPresent()) start = start.mask(InitImage.Mask.of(mask.get()));
        return Request.of("").size(size.width(), size.height()).with(start);
    }

    private Request.Size fit(Image image) {
        double pixels = (double) image.width() * image.height();
        double scale = Math.min(1, Math.sqrt(options.limits().pixels() / pixels));
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
