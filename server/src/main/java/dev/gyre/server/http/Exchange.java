package dev.gyre.server.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;

/** A request and its response, in a thread of its own that may block. */
public final class Exchange {
    public static final String JSON = "application/json", EVENTS = "text/event-stream";
    static final ObjectMapper MAPPER = new ObjectMapper();

    private final Request request;
    private final Response response;
    private final String id;
    private final Map<String, String> path;
    private final ClientWatch client;

    Exchange(Request request, Response response, Map<String, String> path) {
        this.request = request;
        this.response = response;
        this.path = path;
        id = "req_" + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong());
        client = new ClientWatch(request);
        response.getHeaders().put("x-request-id", id);
    }

    public String id() {
        return id;
    }

    /** The path's value of the route's {@code {name}}. */
    public String path(String name) {
        return path.get(name);
    }

    public Optional<String> header(String name) {
        return Optional.ofNullable(request.getHeaders().get(name));
    }

    /** Scheme, host and port as the client sees them. */
    public String origin() {
        StringBuilder origin = new StringBuilder(request.getHttpURI().getScheme())
                .append("://")
                .append(Request.getServerName(request));
        int port = Request.getServerPort(request);
        boolean usual = port <= 0 || port == (request.isSecure() ? 443 : 80);
        return usual ? origin.toString() : origin.append(':').append(port).toString();
    }

    Request request() {
        return request;
    }

    /** Whether the client has disconnected. Call it after the body has been read. */
    public boolean clientGone() {
        return client.gone();
    }

    public Exchange header(String name, String value) {
        response.getHeaders().put(name, value);
        return this;
    }

    public void send(int status, String type, byte[] body) throws IOException {
        response.setStatus(status);
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, type);
        response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
        boolean head = request.getMethod().equals("HEAD");
        Content.Sink.write(response, true, head ? ByteBuffer.allocate(0) : ByteBuffer.wrap(body));
    }

    public void send(int status, JsonNode body) throws IOException {
        send(status, JSON, bytes(body));
    }

    /** With the headers that tell clients whether to retry. */
    void send(ApiError error) throws IOException {
        if (error.retryAfter().isPresent()) {
            header(
                    "retry-after",
                    String.valueOf(Math.max(1, error.retryAfter().get().toSeconds())));
            header("x-should-retry", "true");
        } else {
            header("x-should-retry", "false");
        }
        if (error.status() == 401) header("www-authenticate", "Bearer");
        send(error.status(), error.json());
    }

    /** Starts a response of server-sent events. */
    public Events events() {
        response.setStatus(200);
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, EVENTS + "; charset=utf-8");
        response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
        response.getHeaders().put(new HttpField("x-accel-buffering", "no"));
        return new Events(response);
    }

    int status() {
        return response.getStatus();
    }

    boolean isCommitted() {
        return response.isCommitted();
    }

    static byte[] bytes(JsonNode json) {
        try {
            return MAPPER.writeValueAsBytes(json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    static ByteBuffer utf8(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }
}
