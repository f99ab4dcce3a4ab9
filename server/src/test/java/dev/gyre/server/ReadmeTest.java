package dev.gyre.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gyre.diffusion.image.Image;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What the README says under "As a service" runs as it is printed there; but that this service listens elsewhere. */
@ExtendWith(SharedService.class)
class ReadmeTest {
    private static Running service;

    @TempDir
    Path folder;

    @BeforeAll
    static void start(Running shared) {
        service = shared;
    }

    @BeforeEach
    void files() throws IOException {
        for (String name : new String[] {"circle.png", "mask.png"})
            Files.write(folder.resolve(name), Running.resource(name));
    }

    /** The first match of a pattern's group in the section, with the address of this service. */
    private static String printed(String pattern) throws IOException {
        String readme = Files.readString(Path.of("../README.md"));
        String section = readme.substring(readme.indexOf("## As a service\n"), readme.indexOf("## As a library\n"));
        Matcher matcher = Pattern.compile(pattern, Pattern.DOTALL).matcher(section);
        if (!matcher.find()) throw new AssertionError("not in the README: " + pattern);
        return matcher.group(1)
                .replace("http://127.0.0.1:8080", service.server.uri().toString());
    }

    private static String block(String language) throws IOException {
        return printed("```" + language + "\n(.*?)```");
    }

    /** What a program said is the URL of a picture. */
    private static void isPicture(String output, int side) throws Exception {
        byte[] picture = service.get(URI.create(output.strip()).getPath()).body();
        assertEquals(side, Image.read(picture, output).width());
    }

    @Test
    void curl() throws Exception {
        Programs.needs(Programs.succeeds("curl", "--version") && Programs.succeeds("jq", "--version"), "curl and jq");
        isPicture(Programs.output(folder, "sh", "-c", printed("\n    (curl .*?)\n\n")), 128);
    }

    @Test
    void python() throws Exception {
        Programs.needsPython();
        isPicture(Programs.output(folder, Programs.PYTHON, "-c", block("python")), 512);
    }

    @Test
    void node() throws Exception {
        Programs.needsNodeModules();
        Files.createSymbolicLink(folder.resolve("node_modules"), Programs.MODULES.toAbsolutePath());
        Files.writeString(folder.resolve("star.mjs"), block("js"));
        assertEquals("", Programs.output(folder, "node", "star.mjs"));
        assertEquals(64, Image.read(folder.resolve("star.png")).width());
    }

    @Test
    void java() throws Exception {
        Files.writeString(folder.resolve("Moon.java"), block("java"));
        String java = ProcessHandle.current().info().command().orElseThrow();
        isPicture(
                Programs.output(
                        folder,
                        java,
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "Moon.java"),
                128);
    }
}
