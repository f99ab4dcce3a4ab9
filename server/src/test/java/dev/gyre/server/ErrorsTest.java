package dev.gyre.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gyre.server.options.ServerOptions;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Bad requests: OpenAI's shape, the field that was wrong, and nothing drawn. */
class ErrorsTest {
    private static Running service;
    private static JsonNode described;

    @BeforeAll
    static void start() throws Exception {
        service = new Running(ServerOptions.DEFAULT.with(ServerOptions.Limits.DEFAULT.body(1 << 20)));
        described = service.ok(service.request("/openapi.json"));
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    private static JsonNode error(int status, HttpRequest.Builder request) throws Exception {
        HttpResponse<byte[]> response = service.send(request);
        JsonNode body = Running.body(response);
        assertEquals(status, response.statusCode(), body.toString());
        JsonNode error = body.get("error");
        assertEquals(1, body.size());
        for (String key : List.of("message", "type", "param", "code")) assertTrue(error.has(key), key);
        assertTrue(response.headers().firstValue("x-request-id").orElseThrow().startsWith("req_"));
        assertTrue(response.headers().firstValue("x-should-retry").isPresent());
        isDescribed(status, response.request());
        return error;
    }

    /** In the OpenAPI description, where that knows the path at all. */
    private static void isDescribed(int status, HttpRequest request) {
        String path =
                request.uri().getPath().replaceFirst("^/images", "/v1/images").replaceFirst("none.*", "");
        described.get("paths").properties().forEach(one -> {
            JsonNode operation = one.getValue().get(request.method().toLowerCase(Locale.ROOT));
            if (one.getKey().replaceFirst("\\{.*", "").equals(path) && operation != null)
                assertTrue(operation.get("responses").has(String.valueOf(status)), request + ": " + status);
        });
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}|prompt|missing_required_parameter|Missing required parameter: 'prompt'.",
                "{'prompt':null}|prompt|missing_required_parameter|Missing required parameter: 'prompt'.",
                "{'prompt':1}|prompt|invalid_value|expected a string, got 1.",
                "{'prompt':'x','n':0}|n|invalid_value|expected 1 to 10, got 0.",
                "{'prompt':'x','n':'2'}|n|invalid_value|expected an integer, got '2'.",
                "{'prompt':'x','n':1.5}|n|invalid_value|expected an integer, got 1.5.",
                "{'prompt':'x','n':1e99}|n|invalid_value|expected an integer",
                "{'prompt':'x','size':'1x'}|size|invalid_value|expected WIDTHxHEIGHT or auto, got '1x'.",
                "{'prompt':'x','size':'100x100'}|size|invalid_value|at most 1048576 pixels in all, got 100x100.",
                "{'prompt':'x','size':'99992x99992'}|size|invalid_value|at most 1048576 pixels",
                "{'prompt':'x','size':'-8x-8'}|size|invalid_value|'size'",
                "{'prompt':'x','response_format':'pdf'}|response_format|invalid_value|expected url, b64_json, got 'pdf'.",
                "{'prompt':'x','output_format':'gif'}|output_format|invalid_value|expected png, jpeg, webp, got 'gif'.",
                "{'prompt':'x','output_compression':101}|output_compression|invalid_value|expected 0 to 100, got 101.",
                "{'prompt':'x','background':'transparent'}|background|invalid_value|expected auto, opaque",
                "{'prompt':'x','stream':'yes'}|stream|invalid_value|expected a boolean, got 'yes'.",
                "{'prompt':'x','partial_images':4}|partial_images|invalid_value|expected 0 to 3, got 4.",
                "{'prompt':'x','num_inference_steps':0}|num_inference_steps|invalid_value|expected 1 to 150, got 0.",
                "{'prompt':'x','guidance_scale':'a'}|guidance_scale|invalid_value|expected a number, got 'a'.",
                "{'prompt':'x','guidance_scale':-1}|guidance_scale|invalid_value|expected 0.0 to 100.0, got -1.0.",
                "{'prompt':'x','seed':-2}|seed|invalid_value|-2",
                "{'prompt':'x','sampler':'magic'}|sampler|invalid_value|unknown sampler \"magic\"; there are ddim",
                "{'prompt':'x','scheduler':'magic'}|scheduler|invalid_value|unknown sampler",
                "{'prompt':'x','schedule':'magic'}|schedule|invalid_value|magic",
                "{'prompt':'x','clip_skip':13}|clip_skip|invalid_value|expected 1 to 12, got 13.",
                "{'prompt':'x','clip_skip':9}|clip_skip|invalid_value|clip skip: 1 to",
                "{'prompt':'x','precision':'f8'}|precision|invalid_value|expected f32, bf16, got 'f8'.",
                "{'prompt':'x','lora':'none:1'}|lora|invalid_value|there is none called 'none'",
                "{'prompt':'x','lora':[{'strength':1}]}|lora|invalid_value|expected [{\"name\"",
                "{'prompt':'x','lora':'../../etc/passwd'}|lora|invalid_value|there is none called",
            })
    void fields(String body, String param, String code, String message) throws Exception {
        JsonNode error = error(400, service.json("/v1/images/generations", body.replace('\'', '"')));
        assertEquals(param, error.get("param").textValue());
        assertEquals(code, error.get("code").textValue());
        assertEquals("invalid_request_error", error.get("type").textValue());
        assertTrue(
                error.get("message").textValue().contains(message),
                error.get("message").textValue());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{|not valid JSON",
                "[]|object of JSON",
                "``|object of JSON",
                "{} {}|not valid JSON",
                "{'a':NaN}|not valid JSON"
            })
    void bodies(String body, String message) throws Exception {
        JsonNode error = error(400, service.json("/images/generations", body.replace('\'', '"')));
        assertTrue(error.get("message").textValue().contains(message), error.toString());
        assertTrue(error.get("param").isNull());
    }

    @Test
    void deepNestingAndLongPrompts() throws Exception {
        error(400, service.json("/v1/images/generations", "[".repeat(5000)));
        error(400, service.json("/v1/images/generations", "{\"a\":".repeat(5000)));
        String prompt = "a".repeat(33_000);
        JsonNode error = error(400, service.json("/v1/images/generations", "{\"prompt\":\"" + prompt + "\"}"));
        assertEquals("prompt", error.get("param").textValue());
    }

    private static byte[] png(int width, int height, int type) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(new BufferedImage(width, height, type), "png", out);
        return out.toByteArray();
    }

    /** A form that is not as it has to be. */
    private record Case(Map<String, Object> fields, String param, String message) {}

    @Test
    void pictures() throws Exception {
        byte[] circle = Running.resource("circle.png"), cut = Arrays.copyOf(circle, circle.length / 2);
        byte[] small = png(32, 32, BufferedImage.TYPE_INT_ARGB), opaque = png(64, 64, BufferedImage.TYPE_INT_RGB);
        for (Case c : List.of(
                new Case(Running.fields("prompt", "x"), "image", "Missing required parameter: 'image'."),
                new Case(Running.fields("image", circle), "prompt", "Missing required parameter: 'prompt'."),
                new Case(Running.fields("prompt", "x", "image", "text"), "image", "not an image"),
                new Case(Running.fields("prompt", "x", "image", cut), "image", "damaged"),
                new Case(Running.fields("prompt", "x", "image", new byte[0]), "image", "not an image"),
                new Case(
                        Running.fields("prompt", "x", "image", circle, "mask", small),
                        "mask",
                        "as large as the image, 64x64, got 32x32"),
                new Case(Running.fields("prompt", "x", "image", circle, "mask", opaque), "mask", "no alpha channel"),
                new Case(
                        Running.fields("prompt", "x", "image", circle, "strength", "0.01", "num_inference_steps", "5"),
                        "strength",
                        "leaves no step"),
                new Case(
                        Running.fields("prompt", "x", "image", circle, "strength", "2"),
                        "strength",
                        "expected 0.0 to 1.0"))) {
            JsonNode error = error(400, service.form("/v1/images/edits", c.fields));
            assertEquals(c.param, error.get("param").textValue(), error.toString());
            assertTrue(error.get("message").textValue().contains(c.message), error.toString());
        }
    }

    @Test
    void decompressionBombsAreRefusedUnread() throws Exception {
        byte[] bomb = png(20_000, 20_000, BufferedImage.TYPE_BYTE_BINARY);
        assertTrue(bomb.length < 1 << 20);
        JsonNode error = error(400, service.form("/v1/images/variations", Running.fields("image", bomb)));
        assertTrue(error.get("message").textValue().contains("20000x20000"), error.toString());
    }

    @Test
    void nothingIsFetchedFromElsewhere() throws Exception {
        String body = "{\"prompt\":\"x\",\"images\":[{\"image_url\":\"http://169.254.169.254/\"}]}";
        assertEquals(
                "images",
                error(400, service.json("/v1/images/edits", body)).get("param").textValue());
    }

    @Test
    void bodiesHaveALimitWhetherAnnouncedOrNot() throws Exception {
        byte[] large = new byte[(1 << 20) + 1];
        for (BodyPublisher body : List.of(
                BodyPublishers.ofByteArray(large),
                BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(large)))) {
            JsonNode error = error(
                    413,
                    service.request("/v1/images/generations")
                            .header("content-type", "application/json")
                            .POST(body));
            assertEquals("request_too_large", error.get("code").textValue());
        }
    }

    private static String code(int status, HttpRequest.Builder request) throws Exception {
        return error(status, request).get("code").textValue();
    }

    @Test
    void paths() throws Exception {
        assertEquals("not_found", code(404, service.request("/v1/chat/completions")));
        assertEquals("not_found", code(404, service.request("/v1/../etc/passwd")));
        assertEquals("method_not_allowed", code(405, service.request("/v1/images/edits")));
        assertEquals("not_found", code(404, service.request("/pictures/none.png")));
        assertEquals("model_not_found", code(404, service.request("/v1/models/none")));
        assertEquals(
                "unsupported_media_type",
                code(415, service.json("/v1/images/edits", "").setHeader("content-type", "application/xml")));
    }
}
