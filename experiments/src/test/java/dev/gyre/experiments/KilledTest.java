package dev.gyre.experiments;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.diffusion.StableDiffusion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A sweep that is killed, as a process, ends with the table of one that was not. */
class KilledTest {
    @TempDir
    Path folder;

    @Test
    void killedTwice() throws Exception {
        killed(2, 12, 1);
    }

    @Test
    @Tag("long")
    void killedTenTimes() throws Exception {
        killed(10, 100, 2);
    }

    private void killed(int kills, int rows, long seed) throws Exception {
        String grid = "size=64x64 steps=2 seed=0.." + (rows / 2 - 1);
        Plan plan = Tables.plan(folder, "prompt\na red circle\na yellow star\n", grid);
        Path whole = folder.resolve("whole.arrow"), out = folder.resolve("killed.arrow");
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            new Sweep(plan, sd, whole, false).run(new Sweep.Listener() {});
        }
        Random random = new Random(seed);
        Path part = folder.resolve("killed.arrow.part");
        long before = 0;
        for (int kill = 1; kill <= kills; kill++) {
            Process process = start(grid, out);
            // Some bytes further, anywhere in a row, but short of the end.
            long left = Files.size(whole) - before,
                    until = before + (long) (left * random.nextDouble() / (kills - kill + 2));
            while (process.isAlive() && size(part) <= until) Thread.sleep(1);
            process.destroyForcibly(); // SIGKILL
            assertTrue(process.waitFor(1, TimeUnit.MINUTES));
            assertEquals(128 + 9, process.exitValue(), Files.readString(folder.resolve("output.txt")));
            assertFalse(Files.exists(out));
            assertTrue(size(part) >= before, "nothing that was done is lost");
            before = size(part);
        }
        assertTrue(before > 0, "some rows were done before");
        assertEquals(0, start(grid, out).waitFor());
        assertEquals(Tables.rows(whole), Tables.rows(out));
        assertFalse(Files.exists(part));
        try (var left = Files.list(folder)) {
            assertTrue(left.noneMatch(file -> file.getFileName().toString().startsWith(".")), "nothing is left behind");
        }
    }

    /** With the first compiler alone: none lives long enough for the second. */
    private Process start(String grid, Path out) throws IOException {
        return TestProcess.start(folder.resolve("prompts.csv"), grid, out, "-XX:TieredStopAtLevel=1");
    }

    private static long size(Path file) throws IOException {
        return Files.exists(file) ? Files.size(file) : 0;
    }
}
