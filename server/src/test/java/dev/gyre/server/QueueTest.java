package dev.gyre.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gyre.server.options.ServerOptions;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Who waits, who is told to come back, who is cancelled. */
@ExtendWith(SharedService.class)
class QueueTest {
    /** Takes longer than any of these tests. */
    private static final String LONG = "{\"prompt\":\"a red circle\",\"num_inference_steps\":150,\"n\":10}";

    private static final String SHORT = "{\"prompt\":\"a red circle\",\"num_inference_steps\":1,\"seed\":1}";
    private static final String PATH = "/v1/images/generations";

    /** A request whose client can go away. */
    private static Socket sent(Running service, String body) throws Exception {
        Socket socket = new Socket(service.uri("/").getHost(), service.uri("/").getPort());
        String request = "POST " + PATH + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + "Content-Length: " + body.length() + "\r\n\r\n" + body;
        socket.getOutputStream().write(request.getBytes(StandardCharsets.UTF_8));
        return socket;
    }

    private static Running.Condition running(Running service, int count) {
        return () -> service.metric("gyre_queue_running") == count;
    }

    private static Running.Condition waiting(Running service, int count) {
        return () -> service.metric("gyre_queue_waiting") == count;
    }

    @Test
    void whoseClientGoesAwayIsCancelled(Running service) throws Exception {
        Socket first = sent(service, LONG);
        Running.await(running(service, 1));
        Socket second = sent(service, LONG);
        Running.await(waiting(service, 1));
        second.close();
        first.close();
        Running.await(running(service, 0));
        assertEquals(0, service.metric("gyre_queue_waiting"));
        service.ok(service.json(PATH, SHORT));
    }

    @Test
    void aStreamsClientMayGoAwayToo(Running service) throws Exception {
        Socket socket = sent(service, LONG.replace("{", "{\"stream\":true,\"progress\":true,"));
        new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8))
                .lines()
                .filter(line -> line.contains(".progress"))
                .findFirst()
                .orElseThrow();
        socket.close();
        Running.await(running(service, 0));
    }

    @Test
    void whatAClientSendsAheadIsNotLost(Running service) throws Exception {
        try (Socket socket = sent(service, SHORT.replace(":1,\"seed", ":30,\"seed"))) {
            Running.await(running(service, 1));
            Thread.sleep(300); // it is looked for while it waits
            socket.getOutputStream()
                    .write("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                            .getBytes(StandardCharsets.UTF_8));
            String both = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(2, both.split("HTTP/1.1 200", -1).length - 1);
            assertTrue(both.endsWith("{\"status\":\"ok\"}"));
        }
    }

    @Test
    void aFullQueueSaysWhenToComeBack() throws Exception {
        try (Running service = new Running(
                ServerOptions.DEFAULT.with(ServerOptions.Limits.DEFAULT.queue(1).grace(Duration.ZERO)))) {
            Socket first = sent(service, LONG);
            Running.await(running(service, 1));
            Socket second = sent(service, LONG);
            Running.await(waiting(service, 1));
            HttpResponse<byte[]> third = service.send(service.json(PATH, SHORT));
            assertEquals(429, third.statusCode());
            assertEquals("true", third.headers().firstValue("x-should-retry").orElseThrow());
            assertTrue(third.headers().firstValueAsLong("retry-after").orElseThrow() >= 1);
            assertEquals(
                    "rate_limit_exceeded", Running.body(third).at("/error/code").textValue());
            assertEquals(1, service.metric("gyre_rejected_total"));
            first.close();
            second.close();
            Running.await(running(service, 0));
        }
    }

    @Test
    void longOnesEndWhenTheirTimeIsOver() throws Exception {
        try (Running service =
                new Running(ServerOptions.DEFAULT.with(ServerOptions.Limits.DEFAULT.time(Duration.ofSeconds(3))))) {
            HttpResponse<byte[]> late = service.send(service.json(PATH, LONG));
            assertEquals(504, late.statusCode());
            assertEquals("false", late.headers().firstValue("x-should-retry").orElseThrow());
            Running.await(running(service, 0));
            List<JsonNode> events = service.events(service.json(PATH, LONG.replace("{", "{\"stream\":true,")));
            assertEquals("timeout", events.get(0).at("/error/code").textValue());
        }
    }

    @Test
    void thoseThatWaitAreToldTheirPlaceAndKeepIt() throws Exception {
        try (Running service = new Running(ServerOptions.DEFAULT.with(ServerOptions.Limits.DEFAULT.batch(1)));
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Socket first = sent(service, LONG);
            Running.await(running(service, 1));
            List<Future<List<JsonNode>>> others = new ArrayList<>();
            List<Long> ends = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                int place = i + 1;
                others.add(threads.submit(() -> {
                    List<JsonNode> events = service.events(
                            service.json(PATH, SHORT.replace("{", "{\"stream\":true,\"progress\":true,")));
                    synchronized (ends) {
                        ends.add((long) place);
                    }
                    return events;
                }));
                Running.await(waiting(service, place));
            }
            first.close();
            for (int i = 0; i < 3; i++) {
                List<Integer> places = others.get(i).get().stream()
                        .filter(event -> event.get("type").textValue().endsWith(".queued"))
                        .map(event -> event.get("position").intValue())
                        .toList();
                assertEquals(i + 1, places.get(0));
                for (int j = 1; j < places.size(); j++) assertTrue(places.get(j) <= places.get(j - 1));
            }
            assertEquals(List.of(1L, 2L, 3L), ends);
        }
    }

    @Test
    void picturesThatGoTogetherAreWhatTheyAreAlone(Running service) throws Exception {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Socket first = sent(service, LONG);
            Running.await(running(service, 1));
            List<Future<JsonNode>> answers = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                String body =
                        "{\"prompt\":\"a green heart\",\"num_inference_steps\":" + (2 + i % 2) + ",\"seed\":" + i + "}";
                answers.add(threads.submit(() -> service.ok(service.json(PATH, body))));
                Running.await(waiting(service, i + 1));
            }
            first.close();
            for (int i = 0; i < 4; i++) {
                String body =
                        "{\"prompt\":\"a green heart\",\"num_inference_steps\":" + (2 + i % 2) + ",\"seed\":" + i + "}";
                assertEquals(
                        service.ok(service.json(PATH, body)).at("/data/0/b64_json"),
                        answers.get(i).get().at("/data/0/b64_json"));
            }
        }
    }

    @Test
    void stoppingFinishesWhatHasBegunAndRefusesWhatComes() throws Exception {
        Running service = Running.embedded();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            String some = SHORT.replace(":1,\"seed", ":40,\"seed");
            Future<HttpResponse<byte[]>> begun = threads.submit(() -> service.send(service.json(PATH, some)));
            Running.await(running(service, 1));
            Future<HttpResponse<byte[]>> waiting = threads.submit(() -> service.send(service.json(PATH, SHORT)));
            Running.await(waiting(service, 1));
            Future<?> closed = threads.submit(service.server::close);
            Running.await(() -> service.get("/ready").statusCode() == 503);
            HttpResponse<byte[]> late = service.send(service.json(PATH, SHORT));
            assertEquals(503, late.statusCode());
            assertEquals(200, begun.get().statusCode());
            assertEquals(200, waiting.get().statusCode());
            assertTrue(new String(begun.get().body(), StandardCharsets.UTF_8).endsWith("}"));
            closed.get();
        }
    }

    @Test
    void stoppingInAHurryCancels() throws Exception {
        Running service =
                new Running(ServerOptions.DEFAULT.with(ServerOptions.Limits.DEFAULT.grace(Duration.ofMillis(200))));
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<HttpResponse<byte[]>> begun = threads.submit(() -> service.send(service.json(PATH, LONG)));
            Running.await(running(service, 1));
            Future<HttpResponse<byte[]>> waiting = threads.submit(() -> service.send(service.json(PATH, LONG)));
            Running.await(waiting(service, 1));
            service.server.close();
            assertEquals(503, begun.get().statusCode());
            assertEquals(503, waiting.get().statusCode());
        }
    }
}
