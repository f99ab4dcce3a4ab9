package dev.gyre.server.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gyre.diffusion.metadata.Parameters;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.diffusion.settings.Setting;
import dev.gyre.diffusion.settings.SettingValues;
import dev.gyre.diffusion.settings.Settings;
import dev.gyre.server.http.ApiError;
import dev.gyre.server.http.BodyReader;
import dev.gyre.server.http.Exchange;
import dev.gyre.server.http.Route;
import dev.gyre.server.http.Router;
import dev.gyre.server.images.ImageCache;
import dev.gyre.server.images.ImageUrls;
import dev.gyre.server.images.Uploads;
import dev.gyre.server.jobs.JobQueue;
import dev.gyre.server.jobs.Worker;
import dev.gyre.server.models.Loader;
import dev.gyre.server.models.LoraFolder;
import dev.gyre.server.models.ModelFile;
import dev.gyre.server.models.Models;
import dev.gyre.server.options.ServerOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The routes of the service. */
public final class Api {
    private final ServerOptions settings;
    private final Models models;
    private final Loader loader;
    private final JobQueue queue;
    private final Worker device;
    private final LoraFolder loras;
    private final ImageUrls links;
    private final BodyReader bodies;
    private final Metrics metrics;
    private final ImagesApi images;
    private final OpenApi page;

    /** @throws IOException when the folder for pictures does not exist */
    public Api(ServerOptions settings, Models models, Loader loader, JobQueue queue, Worker device, LoraFolder loras)
            throws IOException {
        this.settings = settings;
        this.models = models;
        this.loader = loader;
        this.queue = queue;
        this.device = device;
        this.loras = loras;
        links = new ImageUrls(settings.pictures().expiry(), settings.pictures().memory());
        metrics = new Metrics(queue, links);
        long bodyBytes = Runtime.getRuntime().maxMemory() / 8;
        bodies = new BodyReader(List.of("image", "mask"), settings.limits().body(), bodyBytes);
        Optional<ImageCache> album = settings.pictures().folder().isPresent()
                ? Optional.of(new ImageCache(settings.pictures().folder().get()))
                : Optional.empty();
        Results results = new Results(links, album, settings.listen().publicUrl(), metrics);
        SettingFields fields = new SettingFields(settings.limits());
        page = new OpenApi(fields);
        UploadedImages sent = new UploadedImages(new Uploads(settings.limits().upload()));
        images = new ImagesApi(
                new ImageRequestParser(settings, fields, models, loader, loras, sent), bodies, queue, results, metrics);
    }

    public Router router() {
        return new Router(routes(), settings.access().keys(), settings.access().origins(), metrics);
    }

    private List<Route> routes() {
        List<Route> routes = new ArrayList<>(List.of(
                api("POST", "/images/generations", e -> images.answer(ImageRequest.Kind.GENERATION, e)),
                api("POST", "/images/edits", e -> images.answer(ImageRequest.Kind.EDIT, e)),
                api("POST", "/images/variations", e -> images.answer(ImageRequest.Kind.VARIATION, e)),
                api("POST", "/images/parameters", this::parameters),
                api("GET", "/models", this::models),
                api("GET", "/models/{model}", this::model),
                api("GET", "/options", this::options),
                new Route("GET", Results.PATH + "{name}", Route.Access.OPEN, this::picture),
                new Route("GET", "/health", Route.Access.OPEN, e -> status(e, true, "ok")),
                new Route("GET", "/ready", Route.Access.OPEN, this::ready),
                new Route("GET", "/metrics", Route.Access.OPERATOR, e -> e.send(200, metrics.type(), metrics.text()))));
        routes.addAll(Page.routes(page));
        return routes;
    }

    private static Route api(String method, String path, Route.Answer answer) {
        return new Route(method, path, Route.Access.API, answer);
    }

    private void models(Exchange exchange) throws IOException {
        ObjectNode list = JsonNodeFactory.instance.objectNode().put("object", "list");
        ArrayNode data = list.putArray("data");
        for (ModelFile model : models.all()) data.add(json(model));
        exchange.send(200, list);
    }

    private void model(Exchange exchange) throws IOException {
        String id = exchange.path("model");
        exchange.send(200, json(models.find(id).orElseThrow(() -> ApiError.unknownModel(id))));
    }

    /** OpenAI's keys, then the defaults of requests. */
    private ObjectNode json(ModelFile model) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("id", model.id()).put("object", "model").put("created", model.created());
        json.put("owned_by", "gyre");
        Request request = model.complete(
                SettingValues.NONE.apply(Request.of(""), settings.defaults().values()));
        ObjectNode defaults = json.putObject("defaults");
        for (Setting setting : List.of(Settings.SIZE, Settings.STEPS, Settings.GUIDANCE, Settings.SAMPLER))
            defaults.putPOJO(setting.field(), setting.value(request).orElseThrow());
        json.put("loaded", device.loaded().filter(model::equals).isPresent());
        return json;
    }

    /** The values that requests may have. */
    private void options(Exchange exchange) throws IOException {
        ObjectNode options = JsonNodeFactory.instance.objectNode();
        ArrayNode samplers = options.putArray("samplers");
        Sampler.ALL.forEach(sampler ->
                samplers.addObject().put("name", sampler.aliases().get(0)).put("label", sampler.displayName()));
        options.set("settings", page.settings());
        ArrayNode names = options.putArray("loras");
        loras.names().forEach(names::add);
        ArrayNode precisions = options.putArray("precisions");
        loader.precisions().forEach(precision -> precisions.add(precision.label()));
        ServerOptions.Limits limits = settings.limits();
        options.putObject("limits")
                .put("pixels", limits.pixels())
                .put("upload_pixels", limits.upload())
                .put("steps", limits.steps())
                .put("body_bytes", limits.body());
        exchange.send(200, options);
    }

    /** The parameters in a PNG. */
    private void parameters(Exchange exchange) throws IOException {
        List<byte[]> files = bodies.read(exchange).files("image");
        if (files.isEmpty()) throw ApiError.missing("image");
        Parameters parameters;
        try {
            parameters = Parameters.read(files.get(0));
        } catch (IOException | IllegalArgumentException e) {
            throw ApiError.invalid("image", e.getMessage());
        }
        exchange.send(200, Results.parameters(parameters));
    }

    private void picture(Exchange exchange) throws IOException {
        ImageUrls.Content content = links.find(exchange.path("name"))
                .orElseThrow(() -> ApiError.notFound("There is no such picture; URLs work for "
                        + settings.pictures().expiry().toMinutes() + " minutes."));
        exchange.header("cache-control", "private, immutable, max-age=3600")
                .header("content-security-policy", "default-src 'none'; sandbox")
                .header("x-content-type-options", "nosniff")
                .header("cross-origin-resource-policy", "cross-origin")
                .send(200, content.format().type(), content.bytes());
    }

    private void ready(Exchange exchange) throws IOException {
        if (queue.isClosed()) status(exchange, false, "stopping");
        else if (device.loaded().isEmpty()) status(exchange, false, "loading");
        else status(exchange, true, "ok");
    }

    private static void status(Exchange exchange, boolean well, String word) throws IOException {
        exchange.header("cache-control", "no-store")
                .send(well ? 200 : 503, JsonNodeFactory.instance.objectNode().put("status", word));
    }
}
