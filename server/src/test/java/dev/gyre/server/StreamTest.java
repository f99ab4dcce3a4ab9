package dev.gyre.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gyre.diffusion.image.Image;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Answers that come as they are made. */
@ExtendWith(SharedService.class)
class StreamTest {
    private static Running service;

    @BeforeAll
    static void start(Running shared) {
        service = shared;
    }

    private static List<JsonNode> events(String fields) throws Exception {
        return service.events(service.json(
                "/v1/images/generations", "{\"prompt\":\"a red circle\",\"stream\":true,\"seed\":3," + fields + "}"));
    }

    private static List<String> types(List<JsonNode> events) {
        return events.stream().map(event -> event.get("type").textValue()).toList();
    }

    private static Image image(JsonNode event) throws Exception {
        return Image.read(Base64.getDecoder().decode(event.get("b64_json").textValue()), "event");
    }

    @Test
    void partialImagesComeBeforeTheWhole() throws Exception {
        List<JsonNode> events = events("\"num_inference_steps\":6,\"partial_images\":3");
        String partial = "image_generation.partial_image";
        assertEquals(List.of(partial, partial, partial, "image_generation.completed"), types(events));
        for (int i = 0; i < 4; i++) {
            JsonNode event = events.get(i);
            assertEquals(128, image(event).width());
            assertEquals("128x128", event.get("size").textValue());
            for (String key : List.of("created_at", "quality", "background", "output_format"))
                assertTrue(event.has(key), key);
            if (i < 3) assertEquals(i, event.get("partial_image_index").intValue());
        }
        assertEquals(0, events.get(3).at("/usage/total_tokens").intValue());
        assertEquals(3, events.get(3).at("/parameters/seed").intValue());
    }

    @Test
    void moreLooksThanStepsAreAsManyAsThereAre() throws Exception {
        assertEquals(
                List.of("image_generation.partial_image", "image_generation.completed"),
                types(events("\"num_inference_steps\":2,\"partial_images\":3")));
        assertEquals(List.of("image_generation.completed"), types(events("\"num_inference_steps\":1")));
    }

    @Test
    void progressTellsOfQueueAndSteps() throws Exception {
        List<JsonNode> events = events("\"num_inference_steps\":3,\"progress\":true,\"n\":2");
        List<String> types = types(events);
        assertEquals("image_generation.queued", types.get(0));
        assertEquals("image_generation.started", types.get(1));
        assertEquals(
                6, types.stream().filter("image_generation.progress"::equals).count());
        assertEquals(
                2, types.stream().filter("image_generation.completed"::equals).count());
        JsonNode progress = events.get(2);
        assertEquals(3, progress.get("steps").intValue());
        assertEquals(2, progress.get("count").intValue());
        assertEquals(16, image(progress).width());
    }

    @Test
    void editsHaveNamesOfTheirOwn() throws Exception {
        List<JsonNode> events = service.events(service.form(
                "/v1/images/edits",
                Running.fields(
                        "image",
                        Running.resource("circle.png"),
                        "prompt",
                        "a star",
                        "stream",
                        "true",
                        "num_inference_steps",
                        2)));
        assertEquals(List.of("image_edit.completed"), types(events));
    }

    @Test
    void whatGoesWrongOnTheWayIsAnEvent() throws Exception {
        JsonNode error = events("\"clip_skip\":9").get(0).get("error");
        assertEquals("clip_skip", error.get("param").textValue());
        assertEquals("invalid_request_error", error.get("type").textValue());
    }
}
