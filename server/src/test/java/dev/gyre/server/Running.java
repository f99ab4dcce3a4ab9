package dev.gyre.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gyre.core.Precision;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.server.models.Loader;
import dev.gyre.server.options.ServerOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A service on a free port, and a plain client of it. */
final class Running implements AutoCloseable {
    static final ObjectMapper MAPPER = new ObjectMapper();

    /** The usual one. */
    static final Loader LOADER = new Loader() {
        @Override
        public StableDiffusion load(Optional<Path> path, Precision precision) throws IOException {
            Checkpoint checkpoint = path.isPresent() ? Checkpoint.open(path.get()) : Checkpoint.embedded();
            return StableDiffusion.load(checkpoint, new JvmBackend(JvmBackend.Options.DEFAULT.precision(precision)));
        }

        @Override
        public List<Precision> precisions() {
            return Arrays.stream(Precision.values())
                    .filter(precision -> precision.refusal().isEmpty())
                    .toList();
        }
    };

    final GyreServer server;
    private final HttpClient client = HttpClient.newHttpClient();

    Running(ServerOptions settings) {
        this(settings, Duration.ofSeconds(30));
    }

    /** @param idle how long a client may neither send nor take anything */
    Running(ServerOptions settings, Duration idle) {
        try {
            server = new GyreServer(settings.anyPort(), LOADER, idle);
            server.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Running embedded() {
        return new Running(ServerOptions.DEFAULT);
    }

    URI uri(String path) {
        return server.uri().resolve(path);
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(uri(path)).timeout(Duration.ofMinutes(3));
    }

    HttpRequest.Builder json(String path, String body) {
        return request(path).header("content-type", "application/json").POST(HttpRequest.BodyPublishers.ofString(body));
    }

    /** A form of texts (strings) and files (bytes). */
    HttpRequest.Builder form(String path, Map<String, Object> fields) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        fields.forEach((name, value) -> {
            boolean file = value instanceof byte[];
            String head = "--XX\r\nContent-Disposition: form-data; name=\"" + name + "\""
                    + (file ? "; filename=\"a.png\"" : "") + "\r\n\r\n";
            body.writeBytes(head.getBytes(StandardCharsets.UTF_8));
            body.writeBytes(file ? (byte[]) value : value.toString().getBytes(StandardCharsets.UTF_8));
            body.writeBytes("\r\n".getBytes(StandardCharsets.UTF_8));
        });
        body.writeBytes("--XX--\r\n".getBytes(StandardCharsets.UTF_8));
        return request(path)
                .header("content-type", "multipart/form-data; boundary=XX")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body.toByteArray()));
    }

    /** Fields and values in turn. */
    static Map<String, Object> fields(Object... pairs) {
        Map<String, Object> fields = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) fields.put((String) pairs[i], pairs[i + 1]);
        return fields;
    }

    HttpResponse<byte[]> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    }

    HttpResponse<byte[]> get(String path) throws IOException, InterruptedException {
        return send(request(path));
    }

    static JsonNode body(HttpResponse<byte[]> response) throws IOException {
        return MAPPER.readTree(response.body());
    }

    /** The body of an answer that has to be a success. */
    JsonNode ok(HttpRequest.Builder request) throws IOException, InterruptedException {
        HttpResponse<byte[]> response = send(request);
        if (response.statusCode() != 200)
            throw new AssertionError(response.statusCode() + " " + new String(response.body(), StandardCharsets.UTF_8));
        return body(response);
    }

    /** The data of the events of a stream. */
    List<JsonNode> events(HttpRequest.Builder request) throws IOException, InterruptedException {
        HttpResponse<byte[]> response = send(request);
        String text = new String(response.body(), StandardCharsets.UTF_8);
        if (response.statusCode() != 200) throw new AssertionError(response.statusCode() + " " + text);
        List<JsonNode> events = new ArrayList<>();
        for (String event : text.split("\n\n")) {
            if (event.startsWith(":")) continue;
            String[] lines = event.split("\n");
            JsonNode data = MAPPER.readTree(lines[1].substring("data: ".length()));
            String name = lines[0].substring("event: ".length());
            if (!name.equals("error") && !name.equals(data.path("type").asText()))
                throw new AssertionError("named " + name + ": " + data);
            events.add(data);
        }
        return events;
    }

    static byte[] resource(String name) throws IOException {
        try (InputStream in = Running.class.getResourceAsStream(name)) {
            return in.readAllBytes();
        }
    }

    double metric(String name) throws IOException, InterruptedException {
        return new String(get("/metrics").body(), StandardCharsets.UTF_8)
                .lines()
                .filter(line -> line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
                .findFirst()
                .orElseThrow();
    }

    /** How many requests were answered with this status; 499 is nginx's number for a client that did not wait. */
    double answered(int status) throws IOException, InterruptedException {
        return new String(get("/metrics").body(), StandardCharsets.UTF_8)
                .lines()
                .filter(line -> line.startsWith("gyre_http_request_seconds_count")
                        && line.contains("status=\"" + status + "\""))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    /** Waits for a condition, at most half a minute. */
    static void await(Condition condition) throws Exception {
        long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (!condition.holds()) {
            if (System.nanoTime() > end) throw new AssertionError("it did not come about");
            Thread.sleep(20);
        }
    }

    /** What may be waited for. */
    interface Condition {
        boolean holds() throws Exception;
    }

    @Override
    public void close() {
        client.close();
        server.close();
    }
}
