package dev.gyre.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gyre.diffusion.image.Image;
import dev.gyre.server.options.ServerOptions;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchService;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The folder where pictures are kept holds whole ones, whatever happens. */
class PicturesFolderTest {
    /** Takes a while to write. */
    private static final String LARGE = body("\"size\":\"1024x1024\"");

    private static final String MANY = body("\"n\":10");
    private static final String SMALL = body("\"size\":\"64x64\"");

    @TempDir
    Path folder;

    private static String body(String more) {
        return "{\"prompt\":\"a red circle\",\"num_inference_steps\":1,\"guidance_scale\":1,\"seed\":1," + more + "}";
    }

    private static List<Path> files(Path folder, String ending) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(ending)).toList();
        }
    }

    private static void areWhole(List<Path> pictures, int side) throws IOException {
        for (Path picture : pictures) assertEquals(side, Image.read(picture).height(), picture.toString());
    }

    @Test
    void killedWhileWritingLeavesNoHalfPicture() throws Exception {
        boolean middle = false;
        for (int kills = 0; kills < 5 && !middle; kills++) {
            try (ServiceProcess service = new ServiceProcess(folder, List.of());
                    WatchService watch = folder.getFileSystem().newWatchService()) {
                folder.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
                service.draw(LARGE);
                assertNotNull(watch.poll(1, TimeUnit.MINUTES), "nothing was written");
                service.kill();
            }
            middle = !files(folder, ".part").isEmpty();
            areWhole(files(folder, ".png"), 1024);
        }
        assertTrue(middle, "it never was killed in the middle");
        // The next one puts things in order.
        try (Running next = new Running(ServerOptions.DEFAULT.with(ServerOptions.Pictures.DEFAULT.folder(folder)))) {
            assertEquals(List.of(), files(folder, ".part"));
            int before = files(folder, "").size();
            next.ok(next.json("/v1/images/generations", SMALL));
            assertEquals(before + 1, files(folder, ".png").size());
        }
    }

    @Test
    void toldToStopItFinishesWhatHasBegun() throws Exception {
        try (ServiceProcess service = new ServiceProcess(folder, List.of())) {
            CompletableFuture<HttpResponse<String>> answer = service.draw(MANY);
            Running.await(() -> service.get("/metrics").body().contains("gyre_queue_running 1.0"));
            assertEquals(128 + 15, service.stop());
            assertEquals(200, answer.get().statusCode(), answer.get().body());
        }
        assertEquals(10, files(folder, "").size());
        areWhole(files(folder, ".png"), 128);
    }

    @Test
    void aFullDiskIsSaidAndLeavesNoHalfPicture() throws Exception {
        // A file system of its own, with room for some pictures, which is there for the service and its children alone.
        List<String> small = List.of(
                "unshare",
                "--user",
                "--map-root-user",
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-c",
                "mount -t tmpfs -o size=64k gyre '" + folder + "' && exec \"$@\"",
                "sh");
        List<String> tried = new ArrayList<>(small);
        tried.add("true");
        assumeTrue(Programs.succeeds(tried.toArray(String[]::new)), "a full disk: no file system can be mounted here");
        try (ServiceProcess service = new ServiceProcess(folder, small)) {
            HttpResponse<String> full = service.draw(MANY).get();
            assertEquals(507, full.statusCode(), full.body());
            JsonNode error = Running.MAPPER.readTree(full.body()).get("error");
            assertEquals("insufficient_storage", error.get("code").textValue());
            assertEquals("server_error", error.get("type").textValue());
            assertEquals("false", full.headers().firstValue("x-should-retry").orElseThrow());
            HttpResponse<String> events =
                    service.draw(MANY.replace("{", "{\"stream\":true,")).get();
            assertTrue(events.body().contains("event: error\ndata: {\"error\":"), events.body());
            assertTrue(events.body().contains("insufficient_storage"), events.body());

            Path inside = Path.of("/proc/" + service.pid() + "/root" + folder);
            List<Path> kept = files(inside, "");
            assertFalse(kept.isEmpty(), "not even the first was kept");
            assertEquals(kept, files(inside, ".png"));
            areWhole(kept, 128);
            // There is room for a small one.
            assertEquals(200, service.draw(SMALL).get().statusCode());
            assertEquals(200, service.get("/ready").statusCode());
        }
        assertEquals(List.of(), files(folder, ""));
    }
}
