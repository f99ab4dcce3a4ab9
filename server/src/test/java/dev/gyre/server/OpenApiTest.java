package dev.gyre.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import dev.gyre.server.http.Route;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What the service says of itself is true. */
@ExtendWith(SharedService.class)
class OpenApiTest {
    private static Running service;
    private static JsonNode described;

    @BeforeAll
    static void start(Running shared) throws Exception {
        service = shared;
        described = service.ok(service.request("/openapi.json"));
    }

    @Test
    void everyRouteIsDescribedAndNothingElse() {
        Set<String> described = new TreeSet<>(), routes = new TreeSet<>();
        OpenApiTest.described.get("paths").properties().forEach(path -> path.getValue()
                .fieldNames()
                .forEachRemaining(method -> described.add(method.toUpperCase() + " " + path.getKey())));
        for (Route route : service.server.router().routes()) {
            boolean page = route.access() == Route.Access.OPEN && route.path().matches("/|/[a-z]+\\.(js|css|svg|json)");
            String prefix = route.access() == Route.Access.API ? "/v1" : "";
            if (!page) routes.add(route.method() + " " + prefix + route.path());
        }
        assertEquals(described, routes);
    }

    @Test
    void everyFieldIsKnown() throws Exception {
        ObjectNode body = Running.MAPPER.createObjectNode();
        for (String name : fields("generations", "application~1json")) body.putNull(name);
        body.put("prompt", "a cat").put("num_inference_steps", 2);
        assertFalse(service.ok(service.json("/v1/images/generations", body.toString()))
                .has("notes"));
        Map<String, Object> form = Running.fields();
        for (String name : fields("edits", "multipart~1form-data")) form.put(name, "");
        form.putAll(
                Running.fields("prompt", "a cat", "num_inference_steps", 2, "image", Running.resource("circle.png")));
        form.remove("mask"); // an empty file is none
        assertFalse(service.ok(service.form("/v1/images/edits", form)).has("notes"));
    }

    private static Set<String> fields(String endpoint, String type) {
        String schema = "/paths/~1v1~1images~1" + endpoint + "/post/requestBody/content/" + type + "/schema/properties";
        Set<String> names = new TreeSet<>();
        List<String> places = new ArrayList<>(List.of(schema, "/components/schemas/Generation/properties"));
        if (!endpoint.equals("generations")) places.add("/components/schemas/InitImage/properties");
        for (String at : places) described.at(at).fieldNames().forEachRemaining(names::add);
        assertTrue(names.size() > 20, names.toString());
        return names;
    }

    private static void fits(String schema, JsonNode value) {
        ObjectNode document = described.deepCopy();
        document.put("$ref", "#/components/schemas/" + schema);
        JsonSchema validator =
                JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012).getSchema(document);
        Set<ValidationMessage> problems = validator.validate(value);
        assertTrue(problems.isEmpty(), schema + ": " + problems);
    }

    @Test
    void answersAreAsDescribed() throws Exception {
        fits("Status", service.ok(service.request("/health")));
        fits("Model", service.ok(service.request("/v1/models/shapes")));
        fits("Options", service.ok(service.request("/v1/options")));
        String circle = "{\"prompt\":\"a red circle\",\"num_inference_steps\":3,\"foo\":1";
        fits("Images", service.ok(service.json("/v1/images/generations", circle + ",\"n\":2}")));
        List<JsonNode> events = service.events(service.json(
                "/v1/images/generations", circle + ",\"stream\":true,\"progress\":true,\"partial_images\":1}"));
        assertTrue(events.size() >= 6, events.toString());
        for (JsonNode event : events) fits("Event", event);
        for (JsonNode event :
                service.events(service.json("/v1/images/generations", circle + ",\"stream\":true,\"clip_skip\":9}")))
            fits("Event", event);
        HttpResponse<byte[]> error = service.send(service.json("/v1/images/generations", "{}"));
        fits("Error", Running.body(error));
        // A schema that is not there fits nothing.
        assertFalse(JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
                .getSchema(described.at("/components/schemas/Status"))
                .validate(Running.body(error))
                .isEmpty());
    }
}
