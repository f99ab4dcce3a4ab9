package dev.gyre.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Other programs that tests run, where they are there. */
final class Programs {
    static final Path NODE = Path.of("src/test/node"), MODULES = NODE.resolve("node_modules");
    static final String PYTHON = System.getenv().getOrDefault("GYRE_PYTHON", "python3");

    private Programs() {}

    /** Skips the test where something is not there; in CI it has to be. */
    static void needs(boolean there, String what) {
        if (System.getenv("GYRE_CI") != null) assertTrue(there, what);
        assumeTrue(there, what);
    }

    static void needsNodeModules() {
        needs(Files.isDirectory(MODULES), "openai for Node, playwright-core: run npm ci in server/" + NODE);
    }

    static Path chromium() {
        List<Path> usual = List.of(
                Path.of("/usr/bin/chromium"), Path.of("/usr/bin/chromium-browser"), Path.of("/usr/bin/google-chrome"));
        Path found = usual.stream().filter(Files::isExecutable).findFirst().orElse(null);
        needs(found != null, "a browser: install chromium");
        return found;
    }

    /** {@code GYRE_PYTHON=none} says that there is none to be had, in CI too. */
    static void needsPython() throws InterruptedException {
        assumeFalse(PYTHON.equals("none"), "GYRE_PYTHON is none");
        needs(succeeds(PYTHON, "-c", "import openai"), "openai for Python: set GYRE_PYTHON to one that has it");
    }

    static boolean succeeds(String... command) throws InterruptedException {
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

    /** What a program says that has to end well, and soon; what it says on the side is not looked at as long as it does. */
    static String output(Path folder, String... command) throws IOException, InterruptedException {
        Path output = Files.createTempFile(folder, "output", ".txt"),
                error = Files.createTempFile(folder, "error", ".txt");
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectOutput(output.toFile())
                .redirectError(error.toFile())
                .start();
        boolean ended = process.waitFor(5, TimeUnit.MINUTES);
        process.destroyForcibly().waitFor();
        String said = Files.readString(output);
        assertTrue(ended, "it did not end: " + said + Files.readString(error));
        assertEquals(0, process.exitValue(), said + Files.readString(error));
        return said;
    }
}
