package dev.gyre.experiments;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gyre.diffusion.StableDiffusion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Results read by pyarrow, and by pandas, DuckDB and polars where they are at hand. */
class ReadByPythonTest {
    @TempDir
    Path folder;

    @Test
    void whatWasWrittenIsRead() throws Exception {
        String python = System.getenv().getOrDefault("GYRE_PYTHON", "python3");
        boolean there = succeeds(python, "-c", "import pyarrow, numpy");
        if (System.getenv("GYRE_CI") != null && !python.equals("none"))
            assertTrue(there, "pyarrow: set GYRE_PYTHON to a Python that has it");
        assumeTrue(there, "pyarrow: set GYRE_PYTHON to a Python that has it");
        Plan plan = Tables.plan(
                folder, "prompt,kind\na red circle,one\na yellow star,\n", "size=64x64 clip_skip=1,9 steps=2 seed=7,8");
        Plan sizes = Tables.plan(folder, "prompt,size\na,64x64\nb,64x32\n", "steps=2 seed=1");
        Path one = folder.resolve("one.arrow"), several = folder.resolve("several.arrow");
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            new Sweep(plan, sd, one, true).run(new Sweep.Listener() {});
            new Sweep(sizes, sd, several, true).run(new Sweep.Listener() {});
        }
        Path output = folder.resolve("output.txt");
        int status = new ProcessBuilder(python, "src/test/python/read.py", one.toString(), several.toString())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start()
                .waitFor();
        assertEquals(0, status, Files.readString(output));
        System.out.println(Files.readString(output).strip());
    }

    private static boolean succeeds(String... command) throws InterruptedException {
        try {
            return new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
