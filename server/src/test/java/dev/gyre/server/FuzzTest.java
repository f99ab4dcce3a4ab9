package dev.gyre.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.UnixOperatingSystemMXBean;
import dev.gyre.server.options.ServerOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Requests that nobody should send, some of them slow, some of clients that vanish: none is answered with a 5xx, none leaves a thread or a file behind. */
class FuzzTest {
    private static final int CLIENTS = 8;
    private static final List<String> PATHS = List.of(
            "/v1/images/generations",
            "/v1/images/edits",
            "/v1/images/variations",
            "/v1/images/parameters",
            "/images/edits");
    private static final List<String> SEEDS = List.of(
            "{\"prompt\":\"a cat\",\"n\":1,\"size\":\"64x64\",\"num_inference_steps\":1}",
            "{\"prompt\":\"x\",\"seed\":1,\"guidance_scale\":1.5,\"lora\":[{\"name\":\"a\",\"strength\":1}],\"stream\":true}",
            "{\"images\":[{\"image_url\":\"data:image/png;base64,iVBORw0KGgo=\"}],\"prompt\":\"x\",\"mask\":null}",
            "{\"prompt\":\"\\ud800 \\u0000 (((a:9)\",\"output_format\":\"webp\",\"num_inference_steps\":1,\"size\":\"8x8\"}");
    private static final List<String> BITS = List.of(
            "null",
            "-1",
            "1e308",
            "\"",
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\\",
            "true",
            "\u0000",
            "ü",
            "0x0",
            "99999999999999999999",
            "--XX",
            "\r\n",
            "--XX--",
            "Content-Disposition: form-data; name=\"image[]\"",
            "; filename*=UTF-8''%ff",
            "a".repeat(9000));

    @Test
    void fiveHundredRequests() throws Exception {
        fuzz(500, 1);
    }

    @Test
    @Tag("long")
    void twentyThousandRequests() throws Exception {
        fuzz(20_000, 2);
    }

    private static void fuzz(int count, long seed) throws Exception {
        try (Running service = new Running(ServerOptions.DEFAULT.with(
                ServerOptions.Limits.DEFAULT.pixels(64 * 64).body(1 << 20).queue(1000)))) {
            service.ok(service.json(PATHS.get(0), SEEDS.get(0)));
            System.gc();
            long threads = Thread.activeCount(), files = files();
            Map<Integer, Integer> statuses = new TreeMap<>();
            try (ExecutorService clients = Executors.newFixedThreadPool(CLIENTS)) {
                List<Future<Map<Integer, Integer>>> all = new ArrayList<>();
                for (int i = 0; i < CLIENTS; i++) {
                    Random random = new Random(seed * 100 + i);
                    all.add(clients.submit(() -> client(service, random, count / CLIENTS)));
                }
                for (Future<Map<Integer, Integer>> one : all)
                    one.get().forEach((status, times) -> statuses.merge(status, times, Integer::sum));
            }
            // 505 is HTTP's word for a version that it is not.
            assertTrue(
                    statuses.keySet().stream().noneMatch(status -> status >= 500 && status != 505),
                    statuses.toString());
            assertTrue(statuses.getOrDefault(400, 0) > count / 4, statuses.toString());
            Running.await(() -> service.metric("gyre_queue_running") + service.metric("gyre_queue_waiting") == 0);
            Running.await(() -> Thread.activeCount() <= threads + 4 && files() <= files + 4);
            System.out.printf(
                    "%d requests: by status %s; threads %d before, %d after; files %d before, %d after%n",
                    count, statuses, threads, Thread.activeCount(), files, files());
            service.ok(service.json(PATHS.get(0), SEEDS.get(0)));
            assertEquals(200, service.get("/ready").statusCode());
        }
    }

    private static long files() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
                ? unix.getOpenFileDescriptorCount()
                : 0;
    }

    /** How often which status was answered; 0 is no answer, which is all that a broken or a vanished client gets. */
    private static Map<Integer, Integer> client(Running service, Random random, int count)
            throws IOException, InterruptedException {
        Map<Integer, Integer> statuses = new TreeMap<>();
        for (int i = 0; i < count; i++) {
            byte[] request = request(random);
            try (Socket socket = new Socket(
                    service.server.uri().getHost(), service.server.uri().getPort())) {
                socket.setSoTimeout(60_000);
                int end = random.nextInt(20) == 0 ? random.nextInt(request.length) : request.length;
                int pause = random.nextInt(20) == 0 ? random.nextInt(end + 1) : end;
                socket.getOutputStream().write(request, 0, pause);
                if (pause < end) Thread.sleep(50);
                socket.getOutputStream().write(request, pause, end - pause);
                boolean vanishes = end < request.length || random.nextInt(20) == 0;
                statuses.merge(vanishes ? 0 : status(socket.getInputStream()), 1, Integer::sum);
            } catch (SocketTimeoutException e) {
                throw new AssertionError(new String(request, StandardCharsets.ISO_8859_1), e);
            } catch (IOException e) {
                statuses.merge(0, 1, Integer::sum); // the service hung up on what is no HTTP
            }
        }
        return statuses;
    }

    private static int status(InputStream in) throws IOException {
        byte[] start = in.readNBytes(12);
        String line = new String(start, StandardCharsets.ISO_8859_1);
        if (start.length < 12) return 0;
        assertTrue(line.startsWith("HTTP/1.1 "), line);
        return Integer.parseInt(line.substring(9));
    }

    private static byte[] request(Random random) throws IOException {
        byte[] body = random.nextBoolean() ? json(random) : form(random);
        String type = random.nextInt(10) == 0
                ? "multipart/form-data"
                : body[0] == '-' ? "multipart/form-data; boundary=XX" : "application/json";
        StringBuilder head = new StringBuilder("POST ")
                .append(PATHS.get(random.nextInt(PATHS.size())))
                .append(" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: ")
                .append(type)
                .append("\r\n");
        int length = random.nextInt(30) == 0 ? body.length / 2 : body.length;
        boolean chunked = random.nextInt(4) == 0;
        head.append(chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "Content-Length: " + length + "\r\n\r\n");
        if (random.nextInt(20) == 0) head.insert(random.nextInt(head.length()), BITS.get(random.nextInt(BITS.size())));
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(head.toString().getBytes(StandardCharsets.UTF_8));
        if (chunked) all.writeBytes((Integer.toHexString(body.length) + "\r\n").getBytes(StandardCharsets.US_ASCII));
        all.writeBytes(body);
        if (chunked) all.writeBytes("\r\n0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        return all.toByteArray();
    }

    private static byte[] json(Random random) {
        return mutated(SEEDS.get(random.nextInt(SEEDS.size())).getBytes(StandardCharsets.UTF_8), random, 3);
    }

    private static byte[] form(Random random) throws IOException {
        ByteArrayOutputStream form = new ByteArrayOutputStream();
        byte[] picture =
                mutated(Running.resource(random.nextBoolean() ? "circle.png" : "mask.png"), random, random.nextInt(4));
        Map<String, byte[]> parts = new TreeMap<>(Map.of(
                "prompt", "a cat".getBytes(StandardCharsets.UTF_8),
                "num_inference_steps", "1".getBytes(StandardCharsets.UTF_8),
                "image", picture,
                "mask", Running.resource("mask.png")));
        parts.forEach((name, value) -> {
            form.writeBytes(("--XX\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n")
                    .getBytes(StandardCharsets.UTF_8));
            form.writeBytes(value);
            form.writeBytes("\r\n".getBytes(StandardCharsets.UTF_8));
        });
        form.writeBytes("--XX--\r\n".getBytes(StandardCharsets.UTF_8));
        return mutated(form.toByteArray(), random, 1 + random.nextInt(2));
    }

    /** With bytes changed, bits put in and stretches cut out. */
    private static byte[] mutated(byte[] bytes, Random random, int times) {
        byte[] now = bytes.clone();
        for (int i = 0; i < times; i++) {
            int at = random.nextInt(now.length);
            switch (random.nextInt(3)) {
                case 0 -> now[at] = (byte) random.nextInt(256);
                case 1 ->
                    now = joined(now, at, BITS.get(random.nextInt(BITS.size())).getBytes(StandardCharsets.UTF_8), at);
                default -> now = joined(now, at, new byte[] {' '}, Math.min(now.length, at + random.nextInt(40)));
            }
        }
        return now;
    }

    private static byte[] joined(byte[] bytes, int to, byte[] middle, int from) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.write(bytes, 0, to);
        all.writeBytes(middle);
        all.write(bytes, from, bytes.length - from);
        return all.toByteArray();
    }
}
