package dev.gyre.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.server.options.ServerOptions;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Who may come in. */
@ExtendWith(SharedService.class)
class AccessTest {
    @Test
    void keys() throws Exception {
        ServerOptions.Access access = new ServerOptions.Access(List.of("secret", "other"), List.of());
        try (Running service = new Running(ServerOptions.DEFAULT.with(access))) {
            for (String path : List.of("/v1/models", "/models", "/v1/options", "/metrics")) {
                HttpResponse<byte[]> without = service.get(path);
                assertEquals(401, without.statusCode(), path);
                assertEquals(
                        "invalid_api_key",
                        Running.body(without).at("/error/code").textValue());
                assertEquals(
                        "Bearer",
                        without.headers().firstValue("www-authenticate").orElseThrow());
                for (String wrong : List.of("Bearer secre", "Bearer secrets", "Basic secret", "Bearer ", "secret"))
                    assertEquals(
                            401,
                            service.send(service.request(path).header("authorization", wrong))
                                    .statusCode(),
                            wrong);
                for (String right : List.of("Bearer secret", "bearer other"))
                    assertEquals(
                            200,
                            service.send(service.request(path).header("authorization", right))
                                    .statusCode(),
                            right);
            }
            for (String path : List.of("/", "/main.js", "/health", "/openapi.json"))
                assertEquals(200, service.get(path).statusCode(), path);
        }
    }

    @Test
    void withoutKeysAnyWillDo(Running service) throws Exception {
        HttpRequest.Builder request = service.request("/v1/models").header("authorization", "Bearer random-string");
        assertEquals(200, service.send(request).statusCode());
    }

    private static HttpResponse<byte[]> from(Running service, String origin) throws Exception {
        return service.send(service.request("/v1/models").header("origin", origin));
    }

    private static Optional<String> allowed(HttpResponse<byte[]> response) {
        return response.headers().firstValue("access-control-allow-origin");
    }

    @Test
    void pagesOfOtherSitesMayCallOnlyWhereTheyWereLetIn(Running closed) throws Exception {
        assertEquals(403, from(closed, "https://elsewhere.example").statusCode());
        assertEquals(403, from(closed, "null").statusCode());
        assertEquals(200, from(closed, closed.server.uri().toString()).statusCode());
        ServerOptions.Access access = new ServerOptions.Access(List.of(), List.of("https://let.in.example"));
        try (Running service = new Running(ServerOptions.DEFAULT.with(access))) {
            HttpResponse<byte[]> in = from(service, "https://let.in.example");
            assertEquals(200, in.statusCode());
            assertEquals("https://let.in.example", allowed(in).orElseThrow());
            HttpResponse<byte[]> out = from(service, "https://letxin.example");
            assertEquals(403, out.statusCode());
            assertTrue(allowed(out).isEmpty());
            HttpResponse<byte[]> preflight = service.send(service.request("/v1/images/generations")
                    .method("OPTIONS", HttpRequest.BodyPublishers.noBody())
                    .header("origin", "https://let.in.example")
                    .header("access-control-request-method", "POST")
                    .header("access-control-request-headers", "authorization,content-type"));
            assertEquals(200, preflight.statusCode());
            assertFalse(preflight
                    .headers()
                    .firstValue("access-control-allow-headers")
                    .isEmpty());
        }
    }

    @Test
    void thePageMayLoadNothingFromElsewhere(Running service) throws Exception {
        HttpResponse<byte[]> page = service.get("/");
        String policy = page.headers().firstValue("content-security-policy").orElseThrow();
        assertTrue(policy.startsWith("default-src 'none'"));
        assertFalse(policy.contains("unsafe"));
        String tag = page.headers().firstValue("etag").orElseThrow();
        assertEquals(
                304,
                service.send(service.request("/").header("if-none-match", tag)).statusCode());
    }
}
