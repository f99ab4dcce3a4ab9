package dev.gyre.experiments;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.metadata.Parameters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SweepTest {
    private static final String CIRCLE = "a red circle on a blue background";

    @TempDir
    Path folder;

    private static StableDiffusion model(int threads) {
        return StableDiffusion.load(Checkpoint.embedded(), new JvmBackend(threads));
    }

    private Path sweep(Plan plan, int threads, String name, boolean stepLatents) throws IOException {
        Path out = folder.resolve(name);
        try (StableDiffusion sd = model(threads)) {
            new Sweep(plan, sd, out, stepLatents).run(new Sweep.Listener() {});
        }
        return out;
    }

    @Test
    void aRowAPictureToTheSameBitsOnAnyNumberOfThreads() throws IOException {
        Plan plan = Tables.plan(
                folder,
                "prompt,kind\n" + CIRCLE + ",one\na yellow star,\n",
                "size=64x64 sampler=euler_a,ddim steps=2 seed=3,4");
        List<Map<String, Object>> rows = Tables.rows(sweep(plan, 1, "one.arrow", true));
        assertEquals(rows, Tables.rows(sweep(plan, 2, "two.arrow", true)));
        assertEquals(rows, Tables.rows(sweep(plan, 3, "three.arrow", true)));
        assertEquals(8, rows.size());
        for (int i = 0; i < 8; i++) {
            Map<String, Object> row = rows.get(i);
            assertEquals(String.valueOf(i), row.get("row"));
            assertEquals(i < 4 ? CIRCLE : "a yellow star", row.get("prompt"));
            assertEquals(i < 4 ? "one" : "null", row.get("kind"));
            assertEquals(i % 4 < 2 ? "euler_a" : "ddim", row.get("sampler"));
            assertEquals(i % 4 < 2 ? "1.0" : "0.0", row.get("eta"));
            assertEquals(i % 2 == 0 ? "3" : "4", row.get("seed"));
            assertEquals("null", row.get("error"));
            assertTrue(row.get("latents").toString().startsWith("[4, 8, 8]"));
            assertTrue(row.get("step_latents").toString().endsWith("\"shape\":[2,4,8,8]}"), "shape of every step's");
            Parameters parameters =
                    Parameters.read(HexFormat.of().parseHex(row.get("png").toString()));
            assertEquals(parameters.text(), row.get("parameters"));
        }
        assertEquals(8, rows.stream().map(row -> row.get("png")).distinct().count());
        Map<String, String> manifest = Tables.manifest(folder.resolve("two.arrow"));
        assertEquals("size=64x64 sampler=euler_a,ddim steps=2 seed=3,4", manifest.get("gyre.grid"));
        assertEquals("jvm, 2 threads", manifest.get("gyre.device"));
        assertEquals("f32", manifest.get("gyre.precision"));
        assertEquals(rows.getFirst().get("model_hash"), manifest.get("gyre.model_sha256"));
        assertFalse(Files.exists(folder.resolve("two.arrow.part")));
    }

    @Test
    void picturesOfSeveralSizesSayTheirShapes() throws IOException {
        Plan plan = Tables.plan(folder, "prompt,size\na,64x64\nb,64x32\n", "steps=1");
        List<Map<String, Object>> rows = Tables.rows(sweep(plan, 2, "sizes.arrow", false));
        assertTrue(rows.get(0).get("latents").toString().endsWith("\"shape\":[4,8,8]}"));
        assertTrue(rows.get(1).get("latents").toString().endsWith("\"shape\":[4,4,8]}"));
        assertEquals("32", rows.get(1).get("height"));
    }

    @Test
    void whatFailsIsARow() throws IOException {
        Plan plan = Tables.plan(folder, "prompt\na\n", "size=64x64 steps=1 clip_skip=1,9,2 seed=0,1");
        List<Map<String, Object>> rows = Tables.rows(sweep(plan, 2, "errors.arrow", true));
        assertEquals(6, rows.size());
        for (int i = 0; i < 6; i++) {
            boolean bad = i == 2 || i == 3;
            String error = rows.get(i).get("error").toString();
            assertTrue(
                    bad ? error.startsWith("clip skip: 1 to ") && error.endsWith("got 9") : error.equals("null"),
                    error);
            assertEquals(bad, rows.get(i).get("png").equals("null"));
            assertEquals(bad, rows.get(i).get("latents").equals("null"));
        }
        // Settings that do not go together are known when the row comes up.
        plan = Tables.plan(folder, "prompt\na\n", "size=64x64 steps=1 sampler=euler,euler_a eta=0.5");
        rows = Tables.rows(sweep(plan, 2, "eta.arrow", false));
        assertEquals("eta: Euler adds no noise", rows.get(0).get("error"));
        assertEquals("euler", rows.get(0).get("sampler"));
        assertEquals("null", rows.get(1).get("error"));
    }

    @Test
    void picturesAreComparedWithReferences() throws IOException {
        Plan plain = Tables.plan(folder, "prompt\n" + CIRCLE + "\n", "size=64x64 steps=2");
        String png = Tables.rows(sweep(plain, 2, "plain.arrow", false))
                .getFirst()
                .get("png")
                .toString();
        Files.write(folder.resolve("same.png"), HexFormat.of().parseHex(png));
        Plan plan = Tables.plan(
                folder,
                "prompt,reference,size\n" + CIRCLE + ",same.png,64x64\na yellow star,same.png,64x64\na,same.png,64x32\n"
                        + "b,gone.png,64x64\nc,,64x64\n",
                "steps=2");
        List<Map<String, Object>> rows = Tables.rows(sweep(plan, 2, "compared.arrow", false));
        assertEquals("Infinity", rows.get(0).get("psnr"));
        assertEquals(1, Double.parseDouble(rows.get(0).get("ssim").toString()), 1e-9);
        double near = Double.parseDouble(rows.get(0).get("latent_distance").toString()),
                far = Double.parseDouble(rows.get(1).get("latent_distance").toString());
        assertTrue(0 < near && near < far, near + " < " + far);
        assertTrue(Double.parseDouble(rows.get(1).get("ssim").toString()) < 0.9);
        assertEquals(
                "not compared: reference same.png has 64x64 pixels, the picture 64x32",
                rows.get(2).get("error"));
        assertFalse(rows.get(2).get("png").equals("null"));
        assertTrue(rows.get(3).get("error").toString().contains("gone.png: there is no such file")
                || rows.get(3).get("error").toString().contains("there is no such file"));
        assertEquals("null", rows.get(4).get("error"));
        assertEquals("null", rows.get(4).get("psnr"));
    }

    @Test
    void whatWasCancelledGoesOn() throws IOException {
        Plan plan = Tables.plan(folder, "prompt\na\nb\n", "size=64x64 steps=1 seed=0..4");
        Path out = folder.resolve("cancelled.arrow");
        try (StableDiffusion sd = model(2)) {
            for (int until : new int[] {3, 7}) {
                boolean[] stop = {false};
                assertThrows(
                        CancellationException.class, () -> new Sweep(plan, sd, out, false).run(new Sweep.Listener() {
                            @Override
                            public void row(Result result, long rows) {
                                stop[0] = rows == until;
                            }

                            @Override
                            public boolean cancelled() {
                                return stop[0];
                            }
                        }));
                assertFalse(Files.exists(out));
            }
            long[] found = {-1};
            Sweep.Listener listener = new Sweep.Listener() {
                @Override
                public void found(long rows) {
                    found[0] = rows;
                }
            };
            new Sweep(plan, sd, out, false).run(listener);
            assertEquals(7, found[0]);
            List<Map<String, Object>> rows = Tables.rows(out);
            assertEquals(Tables.rows(sweep(plan, 1, "whole.arrow", false)), rows);

            byte[] before = Files.readAllBytes(out);
            new Sweep(plan, sd, out, false).run(listener); // all is there
            assertEquals(10, found[0]);
            assertEquals(-1, java.util.Arrays.mismatch(before, Files.readAllBytes(out)));
            Plan other = Tables.plan(folder, "prompt\na\nc\n", "size=64x64 steps=1 seed=0..4");
            String message = assertThrows(IOException.class, () -> new Sweep(other, sd, out, false).run(listener))
                    .getMessage();
            assertTrue(message.startsWith(out + ": it holds another sweep: its plan sha256 is "), message);
            assertEquals(-1, java.util.Arrays.mismatch(before, Files.readAllBytes(out)));
        }
    }

    @Test
    void theReportNeedsNothingFromAnywhere() throws IOException {
        Plan plan = Tables.plan(
                folder,
                "prompt\n<script>alert('x')</script> & \"more\"\nb\n",
                "size=64x64 clip_skip=1,9 sampler=euler,ddim steps=1,2");
        Path out = sweep(plan, 2, "report.arrow", false);
        assertEquals(
                List.of(folder.resolve("report.png"), folder.resolve("report.html")), Report.write(out, note -> {}));
        String page = Files.readString(folder.resolve("report.html"));
        assertFalse(page.contains("<script"), "nothing of a prompt is markup");
        assertTrue(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;more&quot;"));
        for (String outside : List.of("http:", "https:", "url(", "@import", "<link"))
            assertFalse(page.contains(outside), outside);
        assertEquals(8, page.split("data:image/jpeg;base64,", -1).length - 1);
        assertEquals(8, page.split("<div class='none'>", -1).length - 1);
        assertTrue(page.contains("Seconds over steps"));
        assertTrue(page.contains("clip skip: 1 to "));
    }
}
