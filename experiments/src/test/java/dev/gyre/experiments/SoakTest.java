package dev.gyre.experiments;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many rows in little memory. What a process held is written to {@code target/soak.csv}. */
class SoakTest {
    private static final int ROWS = Integer.getInteger("gyre.soak.rows", 10_000), SAMPLE_MILLIS = 1000;

    @TempDir
    Path folder;

    /** Resident memory in MiB at some time. */
    private record Sample(double seconds, long mib, long bytes) {}

    @Test
    @Tag("long")
    void tenThousandRowsAtLevelMemory() throws Exception {
        assumeTrue(Files.isReadable(Path.of("/proc/self/status")), "/proc: to see how much memory a process holds");
        Path prompts = folder.resolve("prompts.csv"), out = folder.resolve("soak.arrow");
        Files.writeString(prompts, "prompt\na red circle on a blue background\na yellow star\n");
        List<Sample> samples = new ArrayList<>();
        long began = System.nanoTime();
        Process process = TestProcess.start(
                prompts,
                "size=64x64 steps=2 seed=0.." + (ROWS / 2 - 1),
                out,
                "-Xmx192m",
                "-XX:+UseParallelGC",
                "-XX:NewSize=32m",
                "-XX:MaxNewSize=64m",
                "-Xms96m");
        Path part = folder.resolve("soak.arrow.part");
        while (process.isAlive()) {
            Thread.sleep(SAMPLE_MILLIS);
            long mib = resident(process.pid());
            if (mib > 0 && Files.exists(part))
                samples.add(new Sample((System.nanoTime() - began) / 1e9, mib, Files.size(part)));
        }
        assertEquals(0, process.exitValue(), Files.readString(folder.resolve("output.txt")));
        List<String> lines = new ArrayList<>(List.of("seconds,resident_mib,bytes"));
        for (Sample sample : samples) lines.add(String.format("%.0f,%d,%d", sample.seconds, sample.mib, sample.bytes));
        Files.write(Path.of("target/soak.csv"), lines);
        assertEquals(ROWS, Tables.count(out));
        long early = most(samples, 0.1, 0.3), late = most(samples, 0.8, 1);
        System.out.println(ROWS + " rows: at most " + early + " MiB between a tenth and three tenths of the time, "
                + late + " MiB in the last fifth; see target/soak.csv");
        assertTrue(late <= early * 1.1 + 16, "memory is level: " + early + " MiB, then " + late + " MiB");
    }

    private static long most(List<Sample> samples, double from, double to) {
        return samples.subList((int) (from * samples.size()), (int) (to * samples.size())).stream()
                .mapToLong(Sample::mib)
                .max()
                .orElseThrow();
    }

    /** 0 when it has ended. */
    private static long resident(long pid) {
        try (Stream<String> lines = Files.lines(Path.of("/proc/" + pid + "/status"))) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) >> 10)
                    .findFirst()
                    .orElse(0);
        } catch (IOException | RuntimeException e) {
            return 0;
        }
    }
}
