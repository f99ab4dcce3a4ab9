package dev.gyre.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gyre.arrow.ArrowFiles;
import dev.gyre.core.Precision;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.metadata.Parameters;
import dev.gyre.server.GyreServer;
import dev.gyre.server.models.Loader;
import dev.gyre.server.options.ServerOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** A setting that is declared once, {@link AddedSetting}, is wherever settings are. */
class AddedSettingTest {
    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int gyre(String... arguments) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        CommandLine line = GyreCommand.commandLine();
        line.setOut(new PrintWriter(out, true));
        line.setErr(new PrintWriter(err, true));
        return line.execute(arguments);
    }

    private String help(String... arguments) {
        assertEquals(0, gyre(arguments), err.toString());
        return out.toString();
    }

    private static long shift(Path png) throws IOException {
        return Parameters.read(png).request().noise().stepSeedDelta();
    }

    @Test
    void inTheHelpAndOnTheCommandLineAndInThePng() throws IOException {
        for (String[] command : new String[][] {{"--help"}, {"serve", "--help"}}) {
            String help = help(command).replaceAll("\\s+", " ");
            assertTrue(help.contains("--noise-shift=N Shifts the seed of the steps' noise. (default: 0)"), help);
        }
        Path png = folder.resolve("a.png");
        assertEquals(0, gyre("a star", "--noise-shift", "7", "--steps", "1", "-o", png.toString()), err.toString());
        Parameters parameters = Parameters.read(png);
        assertTrue((parameters.text() + ", ").contains(", Shift: 7, "), parameters.text());
        assertEquals(7, shift(png));
        String alone = parameters.text().replaceFirst(", ENSD: 7", "").replaceFirst("Shift: 7", "Shift: 8");
        assertEquals(8, Parameters.parse(alone).request().noise().stepSeedDelta());
        for (String other : List.of("--seed-shift", "--shift-noise")) {
            assertEquals(0, gyre("a star", other, "6", "--steps", "1", "-o", png.toString()), err.toString());
            assertEquals(6, shift(png));
        }
        assertEquals(2, gyre("a star", "--noise-shift", "10"));
        assertTrue(err.toString().contains("--noise-shift: 0 to 9, got 10"), err.toString());
    }

    @Test
    void inASweepsGridAndColumns() throws IOException {
        Path prompts = folder.resolve("p.csv"), results = folder.resolve("r.arrow");
        for (String name : List.of("noise_shift", "seed_shift")) {
            Files.deleteIfExists(results);
            Files.writeString(prompts, "prompt,width,height\na star,64,64\n");
            assertEquals(
                    0,
                    gyre(
                            "sweep",
                            prompts.toString(),
                            "--grid",
                            "steps=1 " + name + "=2,5",
                            "--out",
                            results.toString()),
                    err.toString());
            assertEquals(List.of(2, 5), column(results));
        }
        Files.delete(results);
        Files.writeString(prompts, "prompt,noise_shift,size\na star,3,64x64\n");
        assertEquals(
                0, gyre("sweep", prompts.toString(), "--grid", "steps=1", "--out", results.toString()), err.toString());
        assertEquals(List.of(3), column(results));
        assertEquals(2, gyre("sweep", prompts.toString(), "--grid", "noise_shift=1"));
        assertTrue(
                err.toString().contains("\"noise_shift\" is a column of p.csv and a setting of the grid"),
                err.toString());
    }

    private static List<Object> column(Path file) throws IOException {
        List<Object> values = new ArrayList<>();
        try (BufferAllocator allocator = new RootAllocator();
                ArrowReader reader = ArrowFiles.open(file, allocator)) {
            while (reader.loadNextBatch())
                for (int i = 0; i < reader.getVectorSchemaRoot().getRowCount(); i++)
                    values.add(reader.getVectorSchemaRoot()
                            .getVector("noise_shift")
                            .getObject(i));
        }
        return values;
    }

    @Test
    void inTheServicesFieldsAndDescription() throws Exception {
        Loader loader = new Loader() {
            @Override
            public StableDiffusion load(Optional<Path> path, Precision precision) {
                return StableDiffusion.embedded();
            }

            @Override
            public List<Precision> precisions() {
                return List.of(Precision.F32);
            }
        };
        try (GyreServer server = new GyreServer(ServerOptions.DEFAULT.anyPort(), loader);
                HttpClient client = HttpClient.newHttpClient()) {
            server.start();
            for (String name : List.of("noise_shift", "seed_shift")) {
                JsonNode answer = ask(client, server, "/v1/images/generations", body(name, 4));
                assertFalse(answer.has("notes"), answer.toString());
                byte[] png =
                        Base64.getDecoder().decode(answer.at("/data/0/b64_json").textValue());
                assertEquals(4, Parameters.read(png).request().noise().stepSeedDelta());
                JsonNode error = ask(client, server, "/v1/images/generations", body(name, 10))
                        .get("error");
                assertEquals(name, error.get("param").textValue());
                assertTrue(error.get("message").textValue().contains("expected 0 to 9, got 10"), error.toString());
            }
            JsonNode field = ask(client, server, "/openapi.json", "")
                    .at("/components/schemas/Generation/properties/noise_shift");
            assertEquals("integer", field.at("/type/0").textValue());
            assertEquals(9, field.get("maximum").intValue());
            assertTrue(field.get("description").textValue().startsWith("Shifts the seed"), field.toString());
            assertTrue(ask(client, server, "/v1/options", "")
                    .get("settings")
                    .toString()
                    .contains("\"noise_shift\""));
        }
    }

    private static String body(String name, int value) {
        return "{\"prompt\":\"a star\",\"steps\":1,\"" + name + "\":" + value + "}";
    }

    private static JsonNode ask(HttpClient client, GyreServer server, String path, String body) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(server.uri().resolve(path));
        if (!body.isEmpty())
            request.header("content-type", "application/json").POST(HttpRequest.BodyPublishers.ofString(body));
        return new ObjectMapper()
                .readTree(client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray())
                        .body());
    }

    @Test
    void inTheCompletionAndInTheDocumentation() {
        assertTrue(help("completion").contains("'--noise-shift'"), out.toString());
        String page = help("settings");
        assertTrue(page.contains("### noise-shift\n\nShifts the seed of the steps' noise.\n"), page);
        assertTrue(page.contains("| AUTOMATIC1111's API | `seed_shift` |"), page);
    }
}
