package dev.gyre.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.jsafetensors.DType;
import dev.gyre.jsafetensors.SafeTensorsWriter;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class MainTest {
    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int gyre(String... arguments) {
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(out, true));
        line.setErr(new PrintWriter(err, true));
        return line.execute(arguments);
    }

    @Test
    void drawsAPictureAndSaysWhereTheSeedAndTheTime() throws IOException {
        Path file = folder.resolve("circle.png");
        assertEquals(
                0,
                gyre("a red circle on a blue background", "--steps", "2", "--seed", "5", "-o", file.toString()),
                err.toString());
        BufferedImage image = ImageIO.read(file.toFile());
        assertEquals(128, image.getWidth());
        assertTrue(err.toString().contains("wrote " + file + " (128x128, seed 5)"), err.toString());
        assertTrue(err.toString().contains("seed 5"), err.toString());
        assertTrue(
                err.toString()
                        .matches(
                                "(?s).*[0-9.]+ s in all \\(text .* s, denoise .* s, decode .* s\\); \\d+ MiB of working memory.*"));
        String bytes = Files.readString(file, StandardCharsets.ISO_8859_1);
        assertTrue(bytes.contains("Steps: 2, Sampler: DDIM, CFG scale: 5, Seed: 5, Size: 128x128, Model: shapes"));
    }

    @Test
    void theSameSeedWritesTheSameFileAndARandomOneIsPrinted() throws IOException {
        Path first = folder.resolve("a.png"), second = folder.resolve("b.png"), random = folder.resolve("c.png");
        String[] common = {"a blue moon on a white background", "--steps", "1", "-o"};
        assertEquals(0, gyre(common[0], common[1], common[2], common[3], first.toString(), "--seed", "9"));
        assertEquals(0, gyre(common[0], common[1], common[2], common[3], second.toString(), "--seed", "9"));
        assertEquals(-1, Files.mismatch(first, second));
        assertEquals(0, gyre(common[0], common[1], common[2], common[3], random.toString()));
        assertTrue(err.toString()
                        .lines()
                        .filter(l -> l.matches("model shapes: .*; seed \\d+"))
                        .count()
                == 3);
    }

    @Test
    void aBatchIsNumbered() throws IOException {
        Path file = folder.resolve("many.png");
        assertEquals(0, gyre("a cat", "--steps", "1", "--batch", "2", "--seed", "1", "-o", file.toString()));
        assertTrue(Files.exists(folder.resolve("many-1.png")));
        assertTrue(Files.exists(folder.resolve("many-2.png")));
        assertTrue(err.toString().contains("seed 2)"), err.toString());
        assertFalse(Files.exists(file));
    }

    @Test
    void aLongPromptIsCutAndSaid() {
        assertEquals(
                0,
                gyre(
                        "red ".repeat(75) + "elephants",
                        "--steps",
                        "1",
                        "-o",
                        folder.resolve("x.png").toString()));
        assertTrue(err.toString().contains("longer than 75 tokens; cut off: \"elephants\""), err.toString());
    }

    @Test
    void mistakesGetASentenceAndLeaveNoFile() throws IOException {
        mistake(2, "--size: multiples of 8, got 100x100", "x", "--size", "100x100");
        mistake(2, "--size: width and height as in 512x512, got big", "x", "--size", "big");
        mistake(2, "--steps: 1 to 1000, got 0", "x", "--steps", "0");
        mistake(2, "unknown sampler \"warp\"; there are ddim, plms, euler, euler_a", "x", "--sampler", "warp");
        mistake(2, "--backend: jvm or tornado, got abacus", "x", "--backend", "abacus");
        mistake(2, "--threads: at least 1, got 0", "x", "--threads", "0");
        mistake(1, "there are no averaged (EMA) weights of the UNet in this file", "x", "--ema");
        mistake(
                1,
                "nowhere.safetensors",
                "x",
                "--model",
                folder.resolve("nowhere.safetensors").toString());
        mistake(1, "there is no folder", "x", "-o", folder.resolve("none/x.png").toString());
        mistake(2, "Usage: gyre");
    }

    private void mistake(int code, String sentence, String... arguments) throws IOException {
        err.getBuffer().setLength(0);
        assertEquals(code, gyre(arguments), err.toString());
        assertTrue(err.toString().contains(sentence), err.toString());
        assertFalse(err.toString().contains("\tat "), err.toString());
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(0, files.count());
        }
    }

    @Test
    void inspectSaysWhatAFileHoldsAndLacks() throws IOException {
        Path file = folder.resolve("part.safetensors");
        new SafeTensorsWriter()
                .metadata("made", "by hand")
                .tensor("model.diffusion_model.out.2.bias", DType.F32, 4)
                .tensor("odd", DType.I64, 1)
                .write(file, (tensor, sink) -> sink.put(MemorySegment.ofArray(new byte[(int) tensor.bytes()])));
        assertEquals(1, gyre("inspect", file.toString(), "--tensors", "--sha256"));
        String text = out.toString();
        assertTrue(text.contains("2 tensors"), text);
        assertTrue(text.contains("metadata made: by hand"), text);
        assertTrue(text.contains("odd  I64 [1]"), text);
        assertTrue(text.matches("(?s).*sha256: [0-9a-f]{64}.*"), text);
        assertTrue(text.contains("1129 tensors are missing or of another shape:"), text);
        assertTrue(
                text.contains("model.diffusion_model.input_blocks.0.0.weight: missing, expected [320, 4, 3, 3]"), text);
    }

    @Test
    void inspectRefusesWhatIsNoSafetensors() throws IOException {
        Path file = Files.write(folder.resolve("x.safetensors"), new byte[] {1, 2, 3});
        assertEquals(1, gyre("inspect", file.toString()));
        assertTrue(err.toString().startsWith("gyre: " + file + ": "), err.toString());
    }

    @Test
    void synthRefusesWhatItDoesNotWrite() {
        assertEquals(2, gyre("synth", folder.resolve("x.safetensors").toString(), "--dtype", "i8"));
        assertTrue(err.toString().contains("--dtype: f16 or f32, got i8"), err.toString());
        assertEquals(2, gyre("synth", folder.resolve("x.safetensors").toString(), "--layout", "xl"));
        assertTrue(err.toString().contains("--layout: there is sd15, got xl"), err.toString());
    }

    @Test
    void benchPrintsATableForPeopleAndForPrograms() throws IOException {
        assertEquals(
                0, gyre("bench", "--size", "64x64", "--steps", "1", "--threads", "1,2", "--profile"), err.toString());
        String table = out.toString();
        assertTrue(table.contains("| shapes |"), table);
        assertTrue(table.contains("GFLOP/s"), table);
        assertTrue(table.contains("One step of shapes, 64x64, 2 threads"), table);
        assertTrue(table.contains("Conv2d 3x3"), table);
        out.getBuffer().setLength(0);
        assertEquals(0, gyre("bench", "--size", "64x64", "--steps", "1", "--output", "csv"), err.toString());
        String[] lines = out.toString().split("\n");
        assertEquals(2, lines.length, out.toString());
        assertEquals(lines[0].split(",").length, lines[1].split(",").length);
    }

    @Test
    void benchRefusesWhatItDoesNotKnow() {
        assertEquals(2, gyre("bench", "--output", "xml"));
        assertEquals(2, gyre("bench", "--size", "100x100"));
        assertEquals(2, gyre("bench", "--backend", "abacus"));
        assertTrue(err.toString().contains("--size: multiples of 64, got 100x100"), err.toString());
    }

    @Test
    void devicesNeedTornadoVm() throws IOException {
        mistake(2, "--device, --kernels, --f32 and --explain need --backend tornado", "x", "--explain");
        mistake(2, "--kernels: loops, tiles or groups, got beads", "x", "--backend", "tornado", "--kernels", "beads");
        mistake(2, "--check needs --backend tornado", "x", "--check");
        for (String[] arguments : new String[][] {{"devices"}, {"check"}, {"x", "--backend", "tornado"}})
            mistake(1, "TornadoVM is not on this JVM: install its SDK", arguments);
    }
}
