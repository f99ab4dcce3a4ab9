package dev.gyre.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.MultipartField;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.UnauthorizedException;
import com.openai.models.images.ImageCreateVariationParams;
import com.openai.models.images.ImageEditParams;
import com.openai.models.images.ImageGenStreamEvent;
import com.openai.models.images.ImageGenerateParams;
import com.openai.models.images.ImagesResponse;
import dev.gyre.server.options.ServerOptions;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.URI;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** OpenAI's own client for Java, which validates what it is answered. It calls old fields and endpoints deprecated; people use them. */
@SuppressWarnings("deprecation")
@ExtendWith(SharedService.class)
class OpenAiJavaTest {
    private static OpenAIClient client(Running service, String key) {
        return OpenAIOkHttpClient.builder()
                .baseUrl(service.uri("/v1").toString())
                .apiKey(key)
                .maxRetries(0)
                .responseValidation(true)
                .build();
    }

    private static ImageGenerateParams.Builder circle() {
        return ImageGenerateParams.builder()
                .prompt("a red circle on a blue background")
                .putAdditionalBodyProperty("num_inference_steps", JsonValue.from(3))
                .putAdditionalBodyProperty("seed", JsonValue.from(42));
    }

    private static InputStream picture(String name) throws Exception {
        return new ByteArrayInputStream(Running.resource(name));
    }

    @Test
    void generates(Running service) throws Exception {
        ImagesResponse response = client(service, "x")
                .images()
                .generate(circle().n(2)
                        .size(ImageGenerateParams.Size.of("512x512"))
                        .responseFormat(ImageGenerateParams.ResponseFormat.B64_JSON)
                        .build());
        assertEquals(2, response.data().orElseThrow().size());
        String base64 = response.data().get().get(0).b64Json().orElseThrow();
        assertEquals((byte) 0x89, Base64.getDecoder().decode(base64)[0]);
        assertEquals(
                JsonValue.from(43),
                response.data().get().get(1)._additionalProperties().get("seed"));
        ImagesResponse url = client(service, "x").images().generate(circle().build());
        String path = url.data().orElseThrow().get(0).url().orElseThrow();
        assertEquals(200, service.get(URI.create(path).getPath()).statusCode());
    }

    @Test
    void editsAndVaries(Running service) throws Exception {
        // A stream has no file name: the part is known by its field's.
        ImagesResponse edited = client(service, "x")
                .images()
                .edit(ImageEditParams.builder()
                        .image(picture("circle.png"))
                        .mask(picture("mask.png"))
                        .prompt("a green star")
                        .n(2)
                        .putAdditionalBodyProperty("num_inference_steps", JsonValue.from(2))
                        .putAdditionalBodyProperty("strength", JsonValue.from(0.9))
                        .build());
        assertEquals(2, edited.data().orElseThrow().size());
        MultipartField<InputStream> named = MultipartField.<InputStream>builder()
                .value(picture("circle.png"))
                .filename("circle.png")
                .build();
        ImagesResponse varied = client(service, "x")
                .images()
                .createVariation(ImageCreateVariationParams.builder()
                        .image(named)
                        .n(1)
                        .putAdditionalBodyProperty("num_inference_steps", JsonValue.from(2))
                        .build());
        assertEquals(1, varied.data().orElseThrow().size());
    }

    @Test
    void streams(Running service) {
        try (StreamResponse<ImageGenStreamEvent> stream = client(service, "x")
                .images()
                .generateStreaming(circle().partialImages(2).build())) {
            List<ImageGenStreamEvent> events = stream.stream().toList();
            assertEquals(3, events.size());
            assertEquals(1, events.get(1).asGenerationPartialImage().partialImageIndex());
            assertTrue(events.get(2).asGenerationCompleted().b64Json().length() > 100);
        }
    }

    @Test
    void listsModels(Running service) {
        assertEquals(
                "shapes", client(service, "x").models().list().data().get(0).id());
        assertEquals("gyre", client(service, "x").models().retrieve("shapes").ownedBy());
    }

    @Test
    void errorsAreWhatTheyAreCalled() {
        ServerOptions.Access access = new ServerOptions.Access(List.of("key"), List.of());
        ServerOptions settings = ServerOptions.DEFAULT.with(access);
        try (Running service = new Running(settings)) {
            UnauthorizedException key = assertThrows(
                    UnauthorizedException.class,
                    () -> client(service, "x").models().list());
            assertEquals("invalid_api_key", key.code().orElseThrow());
            OpenAIClient client = client(service, "key");
            BadRequestException size = assertThrows(BadRequestException.class, () -> client.images()
                    .generate(circle().size(ImageGenerateParams.Size.of("7x7")).build()));
            assertEquals("size", size.param().orElseThrow());
            assertEquals("invalid_request_error", size.type().orElseThrow());
            assertThrows(NotFoundException.class, () -> client.models().retrieve("none"));
            client.close();
        }
    }
}
