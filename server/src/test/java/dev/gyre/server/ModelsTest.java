package dev.gyre.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gyre.core.Precision;
import dev.gyre.diffusion.settings.SettingValues;
import dev.gyre.diffusion.settings.Settings;
import dev.gyre.server.options.ServerOptions;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Several models, one loaded. */
@ExtendWith(SharedService.class)
class ModelsTest {
    private static final String PATH = "/v1/images/generations";

    @TempDir
    Path folder;

    private Path model(String name) throws IOException {
        Path path = folder.resolve(name);
        try (InputStream in =
                dev.gyre.diffusion.checkpoint.Checkpoint.class.getResourceAsStream("shapes.safetensors")) {
            if (Files.notExists(path)) Files.copy(in, path);
        }
        return path;
    }

    private static String body(String model) {
        return "{\"prompt\":\"a cat\",\"num_inference_steps\":1,\"seed\":1,\"model\":\"" + model + "\"}";
    }

    @Test
    void aNameSwitchesAndAnotherIsAnsweredByTheFirst() throws Exception {
        try (Running service = new Running(
                ServerOptions.DEFAULT.models(List.of(model("one.safetensors"), model("two.safetensors"))))) {
            JsonNode list = service.ok(service.request("/v1/models"));
            assertEquals("list", list.get("object").textValue());
            assertEquals("one", list.at("/data/0/id").textValue());
            assertEquals("two", list.at("/data/1/id").textValue());
            for (String name : List.of("two", "one", "two"))
                assertEquals(
                        name,
                        service.ok(service.json(PATH, body(name))).get("model").textValue());
            assertTrue(
                    service.ok(service.request("/v1/models/two")).get("loaded").booleanValue());
            assertEquals(
                    "one",
                    service.ok(service.json(PATH, body("dall-e-3")))
                            .get("model")
                            .textValue());
        }
    }

    @Test
    void aPrecisionLoadsTheModelAgainOrIsRefused(Running service) throws Exception {
        String body = "{\"prompt\":\"a red circle\",\"num_inference_steps\":2,\"seed\":1,\"precision\":\"%s\"}";
        JsonNode exact = service.ok(service.json(PATH, body.formatted("f32"))).at("/data/0/b64_json");
        HttpResponse<byte[]> rounded = service.send(service.json(PATH, body.formatted("bf16")));
        if (Precision.BF16.refusal().isPresent()) {
            assertEquals(400, rounded.statusCode());
            assertEquals("precision", Running.body(rounded).at("/error/param").textValue());
            assertTrue(Running.body(rounded)
                    .at("/error/message")
                    .textValue()
                    .contains(Precision.BF16.refusal().get()));
        } else {
            assertEquals(200, rounded.statusCode());
            assertNotEquals(exact, Running.body(rounded).at("/data/0/b64_json"));
        }
        assertEquals(
                exact, service.ok(service.json(PATH, body.formatted("f32"))).at("/data/0/b64_json"));
    }

    @Test
    void strictlyOnlyTheirOwnNames() throws Exception {
        try (Running service = new Running(ServerOptions.DEFAULT.strict(true))) {
            HttpResponse<byte[]> other = service.send(service.json(PATH, body("dall-e-3")));
            assertEquals(404, other.statusCode());
            assertEquals("model", Running.body(other).at("/error/param").textValue());
            service.ok(service.json(PATH, body("shapes")));
        }
    }

    @Test
    void defaultsAreListedAndMayBeSet(Running usual) throws Exception {
        JsonNode own = usual.ok(usual.request("/v1/models/shapes")).get("defaults");
        assertEquals(20, own.get("num_inference_steps").intValue());
        assertEquals(5, own.get("guidance_scale").doubleValue());
        assertEquals("128x128", own.get("size").textValue());
        ServerOptions.Defaults set = new ServerOptions.Defaults(SettingValues.NONE
                .with(Settings.STEPS, "2")
                .with(Settings.GUIDANCE, "3")
                .with(Settings.SAMPLER, "euler_a"));
        try (Running service = new Running(ServerOptions.DEFAULT.with(set))) {
            JsonNode defaults = service.ok(service.request("/v1/models/shapes")).get("defaults");
            assertEquals(2, defaults.get("num_inference_steps").intValue());
            String body = "{\"prompt\":\"a cat\",\"stream\":true}";
            JsonNode parameters =
                    service.events(service.json(PATH, body)).get(0).get("parameters");
            assertEquals(2, parameters.get("num_inference_steps").intValue());
            assertEquals(3, parameters.get("guidance_scale").doubleValue());
            assertEquals("euler_a", parameters.get("sampler").textValue());
        }
    }

    @Test
    void whatCannotBeServedIsSaidBeforeAnythingListens() throws Exception {
        Path none = folder.resolve("none.safetensors"), broken = folder.resolve("broken.safetensors");
        Files.writeString(broken, "no model");
        for (Path path : List.of(none, broken)) {
            Exception e = assertThrows(
                    Exception.class, () -> new GyreServer(ServerOptions.DEFAULT.models(List.of(path)), Running.LOADER));
            assertTrue(e.getMessage().contains(path.getFileName().toString()), e.getMessage());
        }
        Path other = Files.createDirectory(folder.resolve("other")).resolve("one.safetensors");
        Files.copy(model("one.safetensors"), other);
        Exception twice = assertThrows(
                IllegalArgumentException.class,
                () -> new GyreServer(
                        ServerOptions.DEFAULT.models(List.of(model("one.safetensors"), other)), Running.LOADER));
        assertTrue(twice.getMessage().contains("two models are called one"), twice.getMessage());
        assertThrows(IOException.class, () -> new GyreServer(ServerOptions.DEFAULT.loras(none), Running.LOADER));
        assertThrows(
                IOException.class,
                () -> new GyreServer(
                        ServerOptions.DEFAULT.with(ServerOptions.Pictures.DEFAULT.folder(none)), Running.LOADER));
    }

    @Test
    void aPortThatIsTakenIsSaid(Running service) throws Exception {
        int port = service.server.uri().getPort();
        ServerOptions.Listen listen = new ServerOptions.Listen("127.0.0.1", port, java.util.Optional.empty());
        GyreServer second = new GyreServer(ServerOptions.DEFAULT.listen(listen), Running.LOADER);
        IOException e = assertThrows(IOException.class, second::start);
        assertTrue(e.getMessage().contains("cannot listen on 127.0.0.1:" + port), e.getMessage());
        second.close();
        assertNotEquals(0, port);
    }
}
