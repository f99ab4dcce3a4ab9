package dev.gyre.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.metadata.Parameters;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.server.options.ServerOptions;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What the image endpoints draw, and how they answer. */
@ExtendWith(SharedService.class)
class ImagesTest {
    private static final String GENERATIONS = "/v1/images/generations";
    private static final String CIRCLE = "\"prompt\":\"a red circle on a blue background\",\"num_inference_steps\":2";
    private static Running service;

    @BeforeAll
    static void start(Running shared) {
        service = shared;
    }

    private static JsonNode draw(String fields) throws IOException, InterruptedException {
        return service.ok(service.json(GENERATIONS, "{" + CIRCLE + fields + "}"));
    }

    private static byte[] file(JsonNode answer, int i) {
        return Base64.getDecoder().decode(answer.at("/data/" + i + "/b64_json").textValue());
    }

    private static String url(JsonNode answer, int i) {
        return answer.at("/data/" + i + "/url").textValue();
    }

    private static byte[] pixels(byte[] file) throws IOException {
        return Image.read(file, "answer").rgb();
    }

    @Test
    void drawsWhatTheLibraryDraws() throws Exception {
        JsonNode answer =
                draw(",\"seed\":7,\"guidance_scale\":4,\"negative_prompt\":\"green\",\"sampler\":\"euler_a\"");
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            Picture picture = sd.generate(Request.of("a red circle on a blue background")
                    .negative("green")
                    .steps(2)
                    .guidance(4)
                    .sampler(Sampler.named("euler_a"))
                    .seed(7));
            assertArrayEquals(picture.rgb(), pixels(file(answer, 0)));
            assertEquals(
                    picture.parameters().text(),
                    Parameters.read(file(answer, 0)).text());
        }
    }

    @Test
    void withoutAFormatEachPictureCarriesBoth() throws Exception {
        JsonNode answer = draw("");
        HttpResponse<byte[]> fetched = service.get(URI.create(url(answer, 0)).getPath());
        assertEquals(200, fetched.statusCode());
        assertEquals("image/png", fetched.headers().firstValue("content-type").orElseThrow());
        assertArrayEquals(file(answer, 0), fetched.body());
        assertTrue(url(answer, 0).startsWith(service.uri("/pictures/").toString()));
        assertTrue(Math.abs(answer.get("created").asLong() - System.currentTimeMillis() / 1000) < 60);
        assertEquals("128x128", answer.get("size").textValue());
        assertEquals(0, answer.at("/usage/input_tokens_details/text_tokens").intValue());
    }

    @Test
    void aFormatThatIsAskedForIsTheOnlyOne() throws Exception {
        JsonNode url = draw(",\"response_format\":\"url\"").at("/data/0");
        assertTrue(url.has("url") && !url.has("b64_json"));
        JsonNode base64 = draw(",\"response_format\":\"b64_json\"").at("/data/0");
        assertTrue(!base64.has("url") && base64.has("b64_json"));
    }

    @Test
    void urlsFollowWhoIsInFront() throws Exception {
        JsonNode answer = service.ok(service.json(GENERATIONS, "{" + CIRCLE + "}")
                .header("x-forwarded-proto", "https")
                .header("x-forwarded-host", "pictures.example"));
        assertTrue(url(answer, 0).startsWith("https://pictures.example/pictures/"), url(answer, 0));
        ServerOptions.Listen listen =
                new ServerOptions.Listen("127.0.0.1", 0, Optional.of(URI.create("https://a.example/b/")));
        try (Running other = new Running(ServerOptions.DEFAULT.listen(listen))) {
            String url = url(other.ok(other.json(GENERATIONS, "{" + CIRCLE + "}")), 0);
            assertTrue(url.startsWith("https://a.example/b/pictures/"), url);
        }
    }

    @Test
    void picturesOfABatchHaveSeedsInOrder() throws Exception {
        JsonNode three = draw(",\"n\":3,\"seed\":40"), alone = draw(",\"seed\":42");
        assertEquals(3, three.get("data").size());
        for (int i = 0; i < 3; i++)
            assertEquals(40 + i, three.at("/data/" + i + "/seed").longValue());
        assertArrayEquals(file(alone, 0), file(three, 2));
        assertNotEquals(draw("").at("/data/0/seed"), draw("").at("/data/0/seed"));
        assertEquals(0, draw(",\"seed\":0").at("/data/0/seed").longValue());
        assertNotEquals(-1, draw(",\"seed\":-1").at("/data/0/seed").longValue());
    }

    @Test
    void largeSizesAreDrawnSmallAndEnlargedAndSaidSo() throws Exception {
        JsonNode answer = draw(",\"size\":\"512x512\"");
        assertEquals(512, Image.read(file(answer, 0), "answer").width());
        assertTrue(answer.get("notes").toString().contains("generated at 128x128 and resized to 512x512"));
        assertEquals(
                128, Image.read(file(draw(",\"size\":\"auto\""), 0), "answer").width());
    }

    @Test
    void otherFormats() throws Exception {
        byte[] png = pixels(file(draw(",\"seed\":1"), 0));
        byte[] jpeg = file(draw(",\"seed\":1,\"output_format\":\"jpeg\",\"output_compression\":95"), 0);
        assertEquals(0xFFD8, (jpeg[0] & 0xFF) << 8 | jpeg[1] & 0xFF);
        assertTrue(distance(png, pixels(jpeg)) < 4);
        JsonNode answer = draw(",\"seed\":1,\"output_format\":\"webp\",\"output_compression\":95");
        byte[] webp = file(answer, 0);
        assertEquals("WEBP", new String(webp, 8, 4, StandardCharsets.US_ASCII));
        assertTrue(distance(png, pixels(webp)) < 4);
        // The library that wrote it would say more: it is not the one that reads what is sent.
        byte[] half = Arrays.copyOf(webp, webp.length / 2);
        assertEquals(
                "half: the image is damaged",
                assertThrows(IOException.class, () -> Image.read(half, "half")).getMessage());
        assertEquals("webp", answer.get("output_format").textValue());
        assertTrue(url(answer, 0).endsWith(".webp"));
        byte[] worse = file(draw(",\"seed\":1,\"output_format\":\"webp\",\"output_compression\":10"), 0);
        assertTrue(worse.length < webp.length);
    }

    /** Mean difference of a byte. */
    private static double distance(byte[] a, byte[] b) {
        assertEquals(a.length, b.length);
        double sum = 0;
        for (int i = 0; i < a.length; i++) sum += Math.abs((a[i] & 0xFF) - (b[i] & 0xFF));
        return sum / a.length;
    }

    @Test
    void whatIsNotKnownIsSaid() throws Exception {
        JsonNode notes = draw(",\"model\":\"gpt-image-1\",\"colour\":\"red\",\"quality\":\"hd\",\"user\":null")
                .get("notes");
        assertEquals(
                List.of(
                        "there is no model \"gpt-image-1\" here: shapes answers",
                        "the field \"colour\" is not known here"),
                Running.MAPPER.convertValue(notes, List.class));
        assertFalse(draw(",\"user\":\"me\",\"style\":\"vivid\"").has("notes"));
    }

    @Test
    void emptyFieldsAreAsGoodAsNone() throws Exception {
        draw(",\"n\":null,\"size\":null,\"seed\":null,\"response_format\":null,\"model\":null,\"stream\":null");
    }

    @Test
    void onlyAMaskedPartChanges() throws Exception {
        byte[] circle = Running.resource("circle.png"), before = pixels(circle);
        JsonNode answer = service.ok(service.form(
                "/v1/images/edits",
                Running.fields(
                        "image",
                        circle,
                        "mask",
                        Running.resource("mask.png"),
                        "prompt",
                        "a green star",
                        "num_inference_steps",
                        3,
                        "seed",
                        5,
                        "mask_blur",
                        0)));
        byte[] after = pixels(file(answer, 0));
        int half = after.length / 2;
        // The mask is transparent in the lower half.
        double above = 0, below = 0;
        for (int i = 0; i < half; i++) {
            above = Math.max(above, Math.abs((before[i] & 0xFF) - (after[i] & 0xFF)));
            below += Math.abs((before[half + i] & 0xFF) - (after[half + i] & 0xFF));
        }
        assertTrue(above <= 1, "the upper half changed by " + above);
        assertTrue(below / half > 5, "the lower half changed by " + below / half);
    }

    @Test
    void aPicturesOwnTransparencyIsItsMask() throws Exception {
        JsonNode answer = service.ok(service.form(
                "/v1/images/edits",
                Running.fields("image[]", Running.resource("mask.png"), "prompt", "a star", "num_inference_steps", 2)));
        byte[] after = pixels(file(answer, 0));
        for (int i = 0; i < 3 * 64 * 16; i++) assertEquals(0, after[i]);
    }

    @Test
    void withoutAMaskStrengthSaysHowMuchChanges() throws Exception {
        byte[] circle = Running.resource("circle.png");
        double[] change = new double[2];
        for (int i = 0; i < 2; i++) {
            JsonNode answer = service.ok(service.form(
                    "/images/edits",
                    Running.fields(
                            "image",
                            circle,
                            "prompt",
                            "a white background",
                            "num_inference_steps",
                            8,
                            "seed",
                            5,
                            "strength",
                            i == 0 ? 0.2 : 1)));
            change[i] = distance(pixels(circle), pixels(file(answer, 0)));
        }
        assertTrue(change[0] < change[1], change[0] + " and " + change[1]);
    }

    @Test
    void variationsNeedNoPromptAndMayHaveASize() throws Exception {
        JsonNode answer = service.ok(service.form(
                "/v1/images/variations",
                Running.fields(
                        "image",
                        Running.resource("circle.png"),
                        "n",
                        "2",
                        "size",
                        "64x96",
                        "num_inference_steps",
                        "2")));
        assertEquals(2, answer.get("data").size());
        assertEquals(96, Image.read(file(answer, 1), "answer").height());
    }

    @Test
    void editsInJsonBringDataUrls() throws Exception {
        String data = "data:image/png;base64," + Base64.getEncoder().encodeToString(Running.resource("circle.png"));
        JsonNode answer = service.ok(service.json(
                "/v1/images/edits",
                "{\"prompt\":\"a star\",\"num_inference_steps\":2,\"images\":[{\"image_url\":\"" + data + "\"}]}"));
        assertEquals("64x64", answer.get("size").textValue());
    }

    @Test
    void aPngSaysHowItWasDrawn() throws Exception {
        byte[] png =
                file(draw(",\"seed\":11,\"guidance_scale\":3.5,\"sampler\":\"dpm++2m\",\"schedule\":\"karras\""), 0);
        JsonNode fields = service.ok(service.form("/v1/images/parameters", Running.fields("image", png)));
        assertEquals("a red circle on a blue background", fields.get("prompt").textValue());
        assertEquals(11, fields.get("seed").intValue());
        assertEquals(3.5, fields.get("guidance_scale").doubleValue());
        // And may be sent as it is.
        assertArrayEquals(png, file(service.ok(service.json(GENERATIONS, fields.toString())), 0));
    }

    @Test
    void urlsExpireAndPicturesAreKeptOnlyWhereTold(@TempDir Path folder) throws Exception {
        ServerOptions.Pictures pictures =
                ServerOptions.Pictures.DEFAULT.expiry(Duration.ofSeconds(2)).folder(folder);
        try (Running other = new Running(ServerOptions.DEFAULT.with(pictures))) {
            String path = URI.create(url(other.ok(other.json(GENERATIONS, "{" + CIRCLE + "}")), 0))
                    .getPath();
            assertEquals(200, other.get(path).statusCode());
            Thread.sleep(2100);
            assertEquals(404, other.get(path).statusCode());
            try (Stream<Path> files = Files.list(folder)) {
                List<Path> kept = files.toList();
                assertEquals(1, kept.size());
                assertTrue(Parameters.read(kept.get(0)).text().startsWith("a red circle"));
            }
        }
    }

    @Test
    void theOldestPicturesMakeRoomForNewOnes() throws Exception {
        // Room for one, or two where they are small; never for three.
        try (Running other = new Running(ServerOptions.DEFAULT.with(ServerOptions.Pictures.DEFAULT.memory(60_000)))) {
            JsonNode answer = other.ok(other.json(GENERATIONS, "{" + CIRCLE + ",\"n\":3,\"seed\":1}"));
            int size = 0;
            for (int i = 0; i < 3; i++) size += file(answer, i).length;
            assertTrue(size > 60_000, size + " bytes");
            assertEquals(404, other.get(URI.create(url(answer, 0)).getPath()).statusCode());
            assertEquals(200, other.get(URI.create(url(answer, 2)).getPath()).statusCode());
        }
    }
}
