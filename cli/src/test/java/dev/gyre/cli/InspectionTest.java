package dev.gyre.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What the command line shows of a model's inside. */
class InspectionTest {
    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int gyre(String... arguments) {
        CommandLine line = GyreCommand.commandLine();
        line.setOut(new PrintWriter(out, true));
        line.setErr(new PrintWriter(err, true));
        return line.execute(arguments);
    }

    @Test
    void aGraphIsListedAndDrawn() throws IOException {
        assertEquals(0, gyre("graph", "--output", "json"), err.toString());
        JsonNode ops = new ObjectMapper().readTree(out.toString());
        assertTrue(ops.size() > 300, "ops: " + ops.size());
        boolean seen = false;
        for (JsonNode op : ops)
            if (op.get("makes").asText().endsWith("input_blocks.1.1.transformer_blocks.0.attn2.heads")) {
                seen = true;
                assertEquals("Attention", op.get("op").asText());
                assertTrue(op.get("reads").asText().matches("\\[2, 256, \\d+] \\[2, 77, \\d+] \\[2, 77, \\d+]"));
                assertTrue(op.get("FLOPs").asLong() > 0);
            }
        assertTrue(seen);
        assertTrue(
                err.toString().matches("(?s)unet: \\d+ ops, [0-9.]+ GFLOP, [0-9.]+ MiB of weights, .*"),
                err.toString());
        out.getBuffer().setLength(0);
        assertEquals(0, gyre("graph", "--part", "decoder", "--output", "dot", "--size", "64x64"));
        assertTrue(out.toString().startsWith("digraph \"decoder\" {"), out.toString());
        assertEquals(2, gyre("graph", "--part", "clip"));
        assertTrue(err.toString().contains("--part: text, unet, decoder, encoder, got clip"), err.toString());
        assertEquals(2, gyre("graph", "--size", "63x64"));
        assertTrue(err.toString().contains("--size: multiples of 8, got 63x64"), err.toString());
    }

    @Test
    void aTraceOfADrawing() throws IOException {
        Path trace = folder.resolve("trace.json"), picture = folder.resolve("a.png");
        String[] draw = {"a red circle", "--steps", "2", "--batch", "2", "-o", picture.toString(), "--trace", ""};
        draw[draw.length - 1] = trace.toString();
        assertEquals(0, gyre(draw), err.toString());
        int steps = 0;
        for (JsonNode event : new ObjectMapper().readTree(trace.toFile()).get("traceEvents"))
            if (event.get("name").asText().matches("step [12] of 2")) steps++;
        assertEquals(2, steps, "two pictures take a step together");
        draw[draw.length - 1] = folder.resolve("nowhere/trace.json").toString();
        assertEquals(1, gyre(draw));
        assertTrue(err.toString().contains("there is no folder"), err.toString());
        assertFalse(Files.exists(folder.resolve("nowhere")));
    }

    @Test
    void resultsAreCompared() throws IOException {
        Path result = folder.resolve("a.json");
        assertEquals(0, gyre("bench", "--size", "64x64", "--steps", "2", "--output", "json"), err.toString());
        Files.writeString(result, out.toString());
        out.getBuffer().setLength(0);
        assertEquals(
                0, gyre("bench", "compare", "--fail-if-slower", result.toString(), result.toString()), err.toString());
        assertTrue(out.toString().contains(": s/step"), out.toString());
        assertTrue(out.toString().contains("within the noise"), out.toString());
        assertEquals(
                1,
                gyre(
                        "bench",
                        "compare",
                        result.toString(),
                        folder.resolve("b.json").toString()));
    }
}
