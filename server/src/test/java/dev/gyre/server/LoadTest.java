package dev.gyre.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.server.options.ServerOptions;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Many clients at once: no error but "come back later", nobody starves, memory stays level. */
class LoadTest {
    private static final String BODY = "{\"prompt\":\"a red circle on a blue background\",\"num_inference_steps\":";

    /** What a client saw: how long its pictures took, and how often it was told to come back. */
    private record Seen(List<Double> seconds, int refused) {}

    @Test
    void someClients() throws Exception {
        load(20, Duration.ofSeconds(5), 1, 16);
    }

    @Test
    @Tag("long")
    void aHundredClientsForThreeMinutes() throws Exception {
        load(100, Duration.ofMinutes(3), 4, 100);
    }

    @Test
    @Tag("long")
    void aHundredClientsAtAQueueForAThirdOfThemForThreeMinutes() throws Exception {
        load(100, Duration.ofMinutes(3), 4, 32);
    }

    private static void load(int count, Duration time, int steps, int queue) throws Exception {
        ServerOptions settings = ServerOptions.DEFAULT
                .with(ServerOptions.Limits.DEFAULT.queue(queue))
                .with(ServerOptions.Pictures.DEFAULT.memory(16 << 20));
        try (Running service = new Running(settings);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 3; i++) service.ok(service.json("/v1/images/generations", BODY + steps + ",\"n\":4}"));
            long before = used(), end = System.nanoTime() + time.toNanos();
            List<Future<Seen>> clients = new ArrayList<>();
            for (int i = 0; i < count; i++) clients.add(threads.submit(() -> client(service, end, steps)));
            List<Double> all = new ArrayList<>();
            int refused = 0, least = Integer.MAX_VALUE, most = 0;
            for (Future<Seen> client : clients) {
                Seen seen = client.get();
                all.addAll(seen.seconds);
                refused += seen.refused;
                least = Math.min(least, seen.seconds.size());
                most = Math.max(most, seen.seconds.size());
            }
            Collections.sort(all);
            long grown = used() - before;
            System.out.printf(
                    "%d clients, %d steps: %.2f pictures a second, p50 %.1f s, p99 %.1f s, %d refused, %d to %d a client,"
                            + " heap grown by %d MiB%n",
                    count,
                    steps,
                    all.size() / (double) time.toSeconds(),
                    all.get(all.size() / 2),
                    all.get(all.size() * 99 / 100),
                    refused,
                    least,
                    most,
                    grown >> 20);
            assertTrue(grown < 64L << 20, "the heap has grown by " + (grown >> 20) + " MiB");
            // Whoever got in was served in the order of coming: none waits for much longer than the queue is long.
            double median = all.get(all.size() / 2);
            assertTrue(all.get(all.size() - 1) < 5 * median + 10, "one took " + all.get(all.size() - 1) + " s");
            // Where all find a place, they take turns. Who among refused ones comes back at the right moment is chance.
            if (queue >= count) {
                assertEquals(0, refused);
                assertTrue(most - least <= 2, least + " to " + most + " pictures a client");
            }
        }
    }

    private static Seen client(Running service, long end, int steps) throws Exception {
        List<Double> seconds = new ArrayList<>();
        Map<Integer, Integer> statuses = new TreeMap<>();
        while (System.nanoTime() < end) {
            long start = System.nanoTime();
            HttpResponse<byte[]> answer = service.send(service.json("/v1/images/generations", BODY + steps + "}"));
            statuses.merge(answer.statusCode(), 1, Integer::sum);
            if (answer.statusCode() == 200) seconds.add((System.nanoTime() - start) / 1e9);
            else Thread.sleep(200); // sooner than it is told to, to press harder
        }
        statuses.keySet().forEach(status -> assertTrue(status == 200 || status == 429, statuses.toString()));
        return new Seen(seconds, statuses.getOrDefault(429, 0));
    }

    private static long used() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }
}
