package dev.gyre.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.server.options.ServerOptions;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Clients that take their time: the service waits for them within bounds, and others do not wait for them. */
class SlowClientsTest {
    private static final String PATH = "/v1/images/generations";
    private static final String SMALL = "{\"prompt\":\"a red circle\",\"num_inference_steps\":1,\"seed\":1}";

    /** Answered with far more bytes than the connection's buffers hold. */
    private static final String LARGE =
            "{\"prompt\":\"a red circle\",\"num_inference_steps\":1,\"size\":\"1024x1024\",\"n\":%d,\"stream\":%s}";

    private static Running service;

    @BeforeAll
    static void start() {
        service = new Running(ServerOptions.DEFAULT, Duration.ofSeconds(2));
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    private static Socket connected() throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(4096);
        socket.setSoTimeout(60_000);
        socket.connect(new InetSocketAddress(
                service.server.uri().getHost(), service.server.uri().getPort()));
        return socket;
    }

    private static byte[] head(int length) {
        return ("POST " + PATH
                        + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
                        + "Content-Length: " + length + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
    }

    private static void send(Socket socket, String body) throws IOException {
        socket.getOutputStream().write(head(body.length()));
        socket.getOutputStream().write(body.getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void aBodyMayComeInPieces() throws Exception {
        try (Socket socket = connected()) {
            OutputStream out = socket.getOutputStream();
            out.write(head(SMALL.length()));
            for (int i = 0; i < SMALL.length(); i += 10) {
                out.write(SMALL.substring(i, Math.min(SMALL.length(), i + 10)).getBytes(StandardCharsets.US_ASCII));
                Thread.sleep(5);
            }
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(answer.startsWith("HTTP/1.1 200 OK"), answer);
        }
    }

    @Test
    void aBodyThatDribblesIsNotWaitedFor() throws Exception {
        double before = service.answered(408);
        try (Socket socket = connected()) {
            OutputStream out = socket.getOutputStream();
            out.write(head(100_000));
            long start = System.nanoTime();
            try {
                for (int i = 0; i < 600; i++) { // a minute of it
                    out.write(' ');
                    Thread.sleep(100);
                    if (socket.getInputStream().available() > 0) break;
                }
            } catch (IOException e) {
                // It was hung up on.
            }
            double seconds = (System.nanoTime() - start) / 1e9;
            assertTrue(seconds < 20, "it was listened to for " + seconds + " s");
        }
        Running.await(() -> service.answered(408) > before);
        service.ok(service.json(PATH, SMALL));
    }

    @Test
    void whoStopsSendingIsNotWaitedFor() throws Exception {
        try (Socket socket = connected()) {
            socket.getOutputStream().write(head(1000));
            socket.getOutputStream().write('{');
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(answer.startsWith("HTTP/1.1 408 "), answer);
            assertTrue(answer.contains("\"error\""), answer);
        }
    }

    @Test
    void whoStopsTakingAStreamIsNotDrawnFor() throws Exception {
        double before = service.metric("gyre_pictures_total");
        stopsTaking(LARGE.formatted(10, true));
        assertTrue(service.metric("gyre_pictures_total") < before + 10, "all pictures were drawn for nobody");
    }

    @Test
    void whoStopsTakingAnAnswerIsHungUpOn() throws Exception {
        stopsTaking(LARGE.formatted(5, false));
    }

    /** Takes the first bytes of an answer and no more. */
    private static void stopsTaking(String body) throws Exception {
        double gone = service.answered(499);
        try (Socket socket = connected()) {
            send(socket, body);
            InputStream in = socket.getInputStream();
            assertEquals("HTTP/1.1 200", new String(in.readNBytes(12), StandardCharsets.US_ASCII));
            Running.await(() -> service.answered(499) == gone + 1);
            Running.await(() -> service.metric("gyre_queue_running") == 0);
        }
        service.ok(service.json(PATH, SMALL));
    }
}
