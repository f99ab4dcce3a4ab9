package dev.gyre.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** OpenAI's clients for Node and Python, and a browser with the page, each a program of its own that says what is not as it should be. */
@ExtendWith(SharedService.class)
class OtherProgramsTest {
    private static Running service;

    @TempDir
    Path folder;

    @BeforeAll
    static void start(Running shared) {
        service = shared;
    }

    @Test
    void openaiForNode() throws Exception {
        Programs.needsNodeModules();
        run("node", Programs.NODE.resolve("client.mjs"), pictures());
    }

    @Test
    void openaiForPython() throws Exception {
        Programs.needsPython();
        run(Programs.PYTHON, Path.of("src/test/python/client.py"), pictures());
    }

    @Test
    void thePageInABrowser() throws Exception {
        Programs.needsNodeModules();
        Path browser = Programs.chromium(), seen = Files.createDirectories(Path.of("target/page"));
        run("node", Programs.NODE.resolve("page.mjs"), seen.toAbsolutePath(), browser);
    }

    private Path pictures() throws Exception {
        for (String name : new String[] {"circle.png", "mask.png"})
            Files.write(folder.resolve(name), Running.resource(name));
        return folder;
    }

    private void run(String program, Path script, Path... arguments) throws Exception {
        String[] command = new String[3 + arguments.length];
        command[0] = program;
        command[1] = script.toAbsolutePath().toString();
        command[2] = service.server.uri().toString();
        for (int i = 0; i < arguments.length; i++) command[3 + i] = arguments[i].toString();
        assertEquals("", Programs.output(folder, command));
    }
}
