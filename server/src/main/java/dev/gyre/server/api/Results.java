package dev.gyre.server.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gyre.diffusion.metadata.Parameters;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.settings.Setting;
import dev.gyre.diffusion.settings.Settings;
import dev.gyre.server.http.ApiError;
import dev.gyre.server.http.Exchange;
import dev.gyre.server.images.ImageCache;
import dev.gyre.server.images.ImageFormat;
import dev.gyre.server.images.ImageUrls;
import dev.gyre.server.jobs.Event;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.time.Instant;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** Pictures in responses: OpenAI's keys, and the parameters of each. */
final class Results {
    private static final System.Logger LOG = System.getLogger(Results.class.getName());

    /** The path of picture URLs. */
    static final String PATH = "/pictures/";

    private final ImageUrls links;
    private final Optional<ImageCache> album;
    private final Optional<URI> publicUrl;
    private final Metrics metrics;

    Results(ImageUrls links, Optional<ImageCache> album, Optional<URI> publicUrl, Metrics metrics) {
        this.links = links;
        this.album = album;
        this.publicUrl = publicUrl;
        this.metrics = metrics;
    }

    /** A picture of a response. */
    ObjectNode entry(ImageRequest call, Picture picture, Exchange exchange) throws IOException {
        keep(picture);
        byte[] file = call.format().encode(picture, call.quality());
        ObjectNode entry = JsonNodeFactory.instance.objectNode();
        if (call.base64()) entry.put("b64_json", base64(file));
        if (call.urls()) entry.put("url", url(exchange) + links.keep(new ImageUrls.Content(call.format(), file)));
        return entry.put("seed", picture.parameters().seed());
    }

    private void keep(Picture picture) {
        metrics.drawn();
        if (album.isEmpty()) return;
        try {
            album.get().add(picture);
        } catch (IOException e) {
            LOG.log(Level.ERROR, "a picture could not be kept: " + e);
            // Otherwise nobody would notice that one is missing.
            throw ApiError.notKept();
        }
    }

    private String url(Exchange exchange) {
        String base = publicUrl.map(URI::toString).orElseGet(exchange::origin);
        return base.replaceFirst("/$", "") + PATH;
    }

    ObjectNode answer(ImageRequest call, List<ObjectNode> entries, String size, Collection<String> notes) {
        ObjectNode answer = JsonNodeFactory.instance.objectNode();
        answer.put("created", Instant.now().getEpochSecond());
        answer.putArray("data").addAll(entries);
        answer.put("background", "opaque")
                .put("size", size)
                .put("output_format", call.format().toString());
        usage(answer);
        answer.put("model", call.order().model().id());
        notes(answer, notes);
        return answer;
    }

    /** Some clients require it. */
    private static void usage(ObjectNode answer) {
        ObjectNode usage = answer.putObject("usage");
        usage.put("total_tokens", 0).put("input_tokens", 0).put("output_tokens", 0);
        usage.putObject("input_tokens_details").put("text_tokens", 0).put("image_tokens", 0);
    }

    private static void notes(ObjectNode answer, Collection<String> notes) {
        if (notes.isEmpty()) return;
        ArrayNode array = answer.putArray("notes");
        notes.forEach(array::add);
    }

    ImagesApi.Body completed(ImageRequest call, Event.Drawn drawn, Collection<String> notes) {
        return body -> {
            Picture picture = drawn.picture();
            keep(picture);
            image(body, call.format().encode(picture, call.quality()), picture.width(), picture.height());
            body.put("output_format", call.format().toString());
            usage(body);
            body.put("index", drawn.index()).put("model", call.order().model().id());
            body.set("parameters", parameters(picture.parameters()));
            body.put("seed", picture.parameters().seed());
            notes(body, notes);
        };
    }

    ImagesApi.Body look(Event.Look look) {
        return body -> {
            image(
                    body,
                    look.preview().png(),
                    look.preview().width(),
                    look.preview().height());
            body.put("output_format", ImageFormat.PNG.toString());
            body.put("partial_image_index", look.number()).put("index", look.picture());
        };
    }

    private static void image(ObjectNode body, byte[] file, int width, int height) {
        body.put("b64_json", base64(file));
        body.put("created_at", Instant.now().getEpochSecond());
        body.put("size", width + "x" + height);
        body.put("quality", "auto").put("background", "opaque");
    }

    ImagesApi.Body progress(Event.Stepped stepped) {
        return body -> {
            body.put("index", stepped.step().picture() - 1)
                    .put("count", stepped.step().pictures())
                    .put("step", stepped.step().step())
                    .put("steps", stepped.step().steps())
                    .put("seconds_left", stepped.step().left().toMillis() / 1e3);
            if (stepped.preview().isPresent())
                body.put("b64_json", base64(stepped.preview().get().png()));
        };
    }

    /** As fields of a request that generates the picture again. */
    static ObjectNode parameters(Parameters parameters) {
        ObjectNode fields = JsonNodeFactory.instance.objectNode();
        Request request = parameters.request();
        for (Setting setting : Settings.ALL) {
            boolean text = setting == Settings.PROMPT || setting == Settings.NEGATIVE;
            if (OpenApi.isParameter(setting)
                    && (text || setting.infotext(request).isPresent()))
                setting.value(request).ifPresent(value -> fields.putPOJO(setting.field(), value));
        }
        if (!parameters.model().isEmpty()) fields.put("model", parameters.model());
        return fields;
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }
}
