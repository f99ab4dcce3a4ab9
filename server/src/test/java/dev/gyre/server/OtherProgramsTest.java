package dev.gyre.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** OpenAI's clients for Node and Python, and a browser with the page, each a program of its own. */
class OtherProgramsTest {
    private static final Path NODE = Path.of("src/test/node"), MODULES = NODE.resolve("node_modules");

    @TempDir
    Path folder;

    @Test
    void openaiForNode() throws Exception {
        needs(Files.isDirectory(MODULES), "openai for Node: run npm ci in server/" + NODE);
        run("node", NODE.resolve("client.mjs").toString());
    }

    @Test
    void openaiForPython() throws Exception {
        String python = System.getenv().getOrDefault("GYRE_PYTHON", "python3");
        // Not to be had everywhere, so it is not asked for in CI either; what it sends was recorded
        // (CapturedClientsTest).
        assumeTrue(succeeds(python, "-c", "import openai"), "openai for Python: set GYRE_PYTHON to one that has it");
        run(python, "src/test/python/client.py");
    }

    @Test
    void thePageInABrowser() throws Exception {
        needs(Files.isDirectory(MODULES), "playwright-core: run npm ci in server/" + NODE);
        Path chromium = List.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome").stream()
                .map(Path::of)
                .filter(Files::isExecutable)
                .findFirst()
                .orElse(null);
        needs(chromium != null, "a browser: install chromium");
        Path pictures = Files.createDirectories(Path.of("target/page"));
        try (Running service = Running.embedded()) {
            run(List.of(
                    "node",
                    NODE.resolve("page.mjs").toString(),
                    url(service),
                    pictures.toString(),
                    chromium.toString()));
        }
    }

    /** Skips the test where something is not there; in CI it has to be. */
    private static void needs(boolean there, String what) {
        if (System.getenv("GYRE_CI") != null) assertTrue(there, what);
        assumeTrue(there, what);
    }

    private static String url(Running service) {
        return service.server.uri().toString();
    }

    private void run(String... command) throws Exception {
        for (String name : List.of("circle.png", "mask.png")) Files.write(folder.resolve(name), Running.resource(name));
        try (Running service = Running.embedded()) {
            List<String> all = new ArrayList<>(List.of(command));
            all.add(url(service));
            all.add(folder.toString());
            run(all);
        }
    }

    private void run(List<String> command) throws IOException, InterruptedException {
        Path output = folder.resolve("output.txt");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        boolean ended = process.waitFor(5, TimeUnit.MINUTES);
        process.destroyForcibly().waitFor();
        assertTrue(ended, "it did not end: " + Files.readString(output));
        assertEquals("", Files.readString(output));
        assertEquals(0, process.exitValue());
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
