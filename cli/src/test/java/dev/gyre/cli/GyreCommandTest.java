package dev.gyre.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.Precision;
import dev.gyre.jsafetensors.SafeTensorsWriter;
import dev.gyre.jsafetensors.StoredType;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class GyreCommandTest {
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
        assertTrue(
                bytes.contains(
                        "Steps: 2, Sampler: DDIM, Schedule type: Leading, CFG scale: 5, Seed: 5, Size: 128x128, Model: shapes"));
    }

    @Test
    void anotherPrecisionIsRecordedOrRefusedWithTheReason() throws IOException {
        Path file = folder.resolve("star.png");
        int status = gyre("a yellow star", "--steps", "1", "--precision", "bf16", "-o", file.toString());
        if (Precision.BF16.refusal().isPresent()) {
            assertEquals(1, status);
            assertEquals("gyre: --precision bf16: " + Precision.BF16.refusal().get() + "\n", err.toString());
            assertFalse(Files.exists(file));
        } else {
            assertEquals(0, status, err.toString());
            assertTrue(Files.readString(file, StandardCharsets.ISO_8859_1).contains(", Precision: bf16"));
        }
        assertEquals(2, gyre("a yellow star", "--precision", "f64"));
        assertTrue(err.toString().contains("--precision: f32 or bf16, got f64"), err.toString());
    }

    @Test
    void aPredictionThatNobodyKnowsIsRefused() {
        assertEquals(2, gyre("a yellow star", "--prediction", "sample"));
        String said = "--prediction: unknown prediction type \"sample\"; there are epsilon, v";
        assertTrue(err.toString().contains(said), err.toString());
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
    void aLongPromptIsCutAndSaidWhereItIsTakenAsItStands() {
        String prompt = "red ".repeat(75) + "elephants",
                file = folder.resolve("x.png").toString();
        assertEquals(0, gyre(prompt, "--steps", "1", "-o", file));
        assertFalse(err.toString().contains("cut off"), err.toString());
        assertEquals(0, gyre(prompt, "--plain-prompt", "--steps", "1", "-o", file));
        assertTrue(err.toString().contains("longer than 75 tokens; cut off: \"elephants\""), err.toString());
    }

    @Test
    void remakeDrawsTheSamePicture() throws IOException {
        Path file = folder.resolve("a.png");
        assertEquals(
                0,
                gyre(
                        "a (red:1.2) [circle|star] on a \u00fcber-blue \u732b",
                        "--negative",
                        "a moon",
                        "--steps",
                        "3",
                        "--seed",
                        "9",
                        "--sampler",
                        "DPM++ 2M SDE Karras",
                        "--eta",
                        "0.5",
                        "--rng",
                        "cuda",
                        "--variation-seed",
                        "5",
                        "--variation-strength",
                        "0.3",
                        "--eta-noise-seed-delta",
                        "7",
                        "--guidance",
                        "3.5",
                        "--guidance-interval",
                        "0-0.7",
                        "--clip-skip",
                        "2",
                        "--size",
                        "64x72",
                        "--batch",
                        "2",
                        "-o",
                        file.toString()),
                err.toString());
        Path second = folder.resolve("a-2.png");
        assertEquals(0, gyre("remake", second.toString()), err.toString());
        assertEquals(-1, Files.mismatch(second, folder.resolve("a-2-again.png")));
        assertEquals(
                0, gyre("remake", second.toString(), "--threads", "1", "--output", file.toString()), err.toString());
        assertEquals(-1, Files.mismatch(second, file));
    }

    @Test
    void remakeSaysWhatItCannotDo() throws IOException {
        Path text = Files.writeString(folder.resolve("x.png"), "no picture");
        assertEquals(1, gyre("remake", text.toString()));
        assertTrue(err.toString().contains("gyre: " + text + ": not a PNG, or a broken one"), err.toString());
        assertEquals(1, gyre("remake", folder.resolve("none.png").toString()));
        assertTrue(err.toString().contains("none.png: there is no such file"), err.toString());
        assertEquals(2, gyre("remake"));
    }

    @Test
    void previewsAreWrittenBesideThePicture() throws IOException {
        Path file = folder.resolve("a.png"), preview = folder.resolve("a.preview.png");
        assertEquals(
                0,
                gyre("a red circle", "--steps", "3", "--preview-interval", "2", "-o", file.toString()),
                err.toString());
        assertEquals(16, ImageIO.read(preview.toFile()).getWidth());
        assertEquals(
                0,
                gyre(
                        "a red circle",
                        "--steps",
                        "3",
                        "--preview-interval",
                        "2",
                        "--preview",
                        "vae",
                        "-o",
                        file.toString()));
        assertEquals(128, ImageIO.read(preview.toFile()).getWidth());
    }

    @Test
    void helpHasHeadings() {
        assertEquals(0, gyre("--help"));
        for (String heading : new String[] {"Prompt:", "Sampling:", "Model and processor:", "Backend:"})
            assertTrue(out.toString().contains(heading), out.toString());
    }

    @Test
    void mistakesGetASentenceAndLeaveNoFile() throws IOException {
        mistake(2, "--size: multiples of 8, got 100x100", "x", "--size", "100x100");
        mistake(2, "--size: width and height as in 512x512, got big", "x", "--size", "big");
        mistake(2, "--steps: 1 to 1000, got 0", "x", "--steps", "0");
        mistake(
                2,
                "unknown sampler \"warp\"; there are ddim, plms, lms, euler, euler_a, heun",
                "x",
                "--sampler",
                "warp");
        mistake(2, "unknown schedule \"warp\"; there are leading, linspace,", "x", "--schedule", "warp");
        mistake(2, "--eta: Euler adds no noise", "x", "--sampler", "euler", "--eta", "1");
        mistake(2, "--eta: 0 to 1, got 2.0", "x", "--eta", "2");
        mistake(2, "part of the steps: from and to as in 0.2-0.8, got all", "x", "--guidance-interval", "all");
        mistake(
                2,
                "--variation-strength: goes with --variation-seed, which is missing",
                "x",
                "--variation-strength",
                "1");
        mistake(2, "--steps: 1 to 1000, got 0", "x", "--num-inference-steps", "0");
        mistake(
                2,
                "--cfg-scale: --guidance is given, too, which is the same",
                "x",
                "--guidance",
                "7",
                "--cfg-scale",
                "5");
        mistake(2, "width: goes with height, which is missing", "x", "-W", "512");
        mistake(2, "unknown noise source \"dice\"; there are cpu, cuda", "x", "--rng", "dice");
        mistake(1, "clip skip: 1 to 3, got 9", "x", "--clip-skip", "9");
        mistake(2, "--preview: proj or vae, got slow", "x", "--preview-interval", "2", "--preview", "slow");
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

    @Test
    void mistakesOfNewcomersGetASentenceAndNotAllOfTheHelp() throws IOException {
        String text = Files.writeString(
                        Files.createTempDirectory("text").resolve("text.safetensors"), "no tensors at all")
                .toString();
        for (String[] one : new String[][] {
            {"2", "Missing required parameter for option '--steps' (N)", "x", "--steps"},
            {"2", "there is no option --step; did you mean --steps or", "x", "--step", "5"},
            {"2", "there is no option --frobnicate", "x", "--frobnicate"},
            {"2", "one argument was expected, got another: red (a prompt of several words goes in quotes)", "a", "red"},
            {"2", "'--seed': a whole number is expected, got abc", "x", "--seed", "abc"},
            {"2", "'--seed': a whole number from -9223372036854775808 to", "x", "--seed", "99999999999999999999"},
            {"2", "'--batch': a whole number is expected, got two", "x", "--batch", "two"},
            {"2", "'--guidance': a number is expected, got strong", "x", "--guidance", "strong"},
            {"2", "'--guidance': a number is expected, got NaN", "x", "--guidance", "NaN"},
            {"2", "--batch: at least 1, got 0", "x", "--batch", "0"},
            {"2", "--size: width and height as in 512x512, got 128", "x", "--size", "128"},
            {"2", "--strength: goes with --image, which is missing", "x", "--strength", "0.5"},
            {"2", "--mask-blur: goes with --mask or --outpaint, which is missing", "x", "--mask-blur", "3"},
            {"2", "--mask-padding: goes with --mask, which is missing", "x", "--mask-padding", "8"},
            {"2", "--hires-steps: goes with --hires, which is missing", "x", "--hires-steps", "8"},
            {"2", "--preview: goes with --preview-interval, which is missing", "x", "--preview", "proj"},
            {"2", "--control: a ControlNet and a picture as in", "x", "--control", "net.safetensors"},
            {"2", "--lora: a number, got \"much\" in x.safetensors:much", "x", "--lora", "x.safetensors:much"},
            {
                "1",
                folder + ": the name of a file is expected, as in picture.png; this is a folder",
                "x",
                "-o",
                "" + folder
            },
            {"1", "x.jpg: PNGs are written; expected a name that ends in .png", "x", "-o", folder + "/x.jpg"},
            {"1", "the output: the name of a file is expected", "x", "-o", ""},
            {"1", text + ": no safetensors file: ", "x", "-m", text},
            {"1", text + ": no safetensors file: ", "x", "--lora", text},
            {"1", text + ": not an image that can be read", "x", "-i", text},
            {"1", "nowhere.png: there is no such file", "x", "-i", "nowhere.png"},
            {"1", folder + ": expected a diffusers folder", "x", "-m", "" + folder}
        }) {
            mistake(Integer.parseInt(one[0]), one[1], Arrays.copyOfRange(one, 2, one.length));
            assertTrue(err.toString().lines().count() <= 2, err.toString());
        }
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
                .tensor("model.diffusion_model.out.2.bias", StoredType.F32, 4)
                .tensor("odd", StoredType.I64, 1)
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
        assertTrue(table.contains("How fast memory is"), table);
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

    private Path circle() throws IOException {
        Path file = folder.resolve("circle.png");
        assertEquals(
                0,
                gyre("a red circle on a blue background", "--steps", "3", "--seed", "5", "-o", file.toString()),
                err.toString());
        return file;
    }

    private Path halfMask() throws IOException {
        BufferedImage mask = new BufferedImage(128, 128, BufferedImage.TYPE_BYTE_GRAY);
        for (int y = 0; y < 128; y++) for (int x = 64; x < 128; x++) mask.setRGB(x, y, 0xFFFFFF);
        Path file = folder.resolve("mask.bmp");
        ImageIO.write(mask, "bmp", file.toFile());
        return file;
    }

    @Test
    void aMaskedHalfIsPaintedAndTheOtherIsNot() throws IOException {
        Path from = circle(), to = folder.resolve("star.png");
        assertEquals(
                0,
                gyre(
                        "a yellow star",
                        "-i",
                        from.toString(),
                        "--mask",
                        halfMask().toString(),
                        "--mask-blur",
                        "0",
                        "--steps",
                        "4",
                        "--seed",
                        "1",
                        "-o",
                        to.toString()),
                err.toString());
        BufferedImage before = ImageIO.read(from.toFile()), after = ImageIO.read(to.toFile());
        int changed = 0;
        for (int y = 0; y < 128; y++)
            for (int x = 0; x < 128; x++) {
                boolean same = before.getRGB(x, y) == after.getRGB(x, y);
                if (x < 64) assertTrue(same, x + ", " + y);
                else if (!same) changed++;
            }
        assertTrue(changed > 2000, "pixels changed: " + changed);
        String bytes = Files.readString(to, StandardCharsets.ISO_8859_1);
        assertTrue(
                bytes.matches("(?s).*Denoising strength: 0.75, Begins with: circle.png \\[[0-9a-f]{10}], Mask: mask.bmp"
                        + " \\[[0-9a-f]{10}], Mask blur: 0.*"),
                bytes);
    }

    @Test
    void aSecondPassIsRemade() throws IOException {
        Path first = folder.resolve("large.png"), again = folder.resolve("again.png");
        assertEquals(
                0,
                gyre(
                        "a red circle",
                        "--hires",
                        "1.25",
                        "--seamless",
                        "--deepcache",
                        "2:2",
                        "--steps",
                        "4",
                        "--seed",
                        "1",
                        "-o",
                        first.toString()),
                err.toString());
        assertEquals(160, ImageIO.read(first.toFile()).getWidth());
        assertEquals(0, gyre("remake", first.toString(), "-o", again.toString()), err.toString());
        assertEquals(-1, Files.mismatch(first, again));
    }

    @Test
    void eightBitsAndLittleMemorySayWhatTheyCost() throws IOException {
        Path to = folder.resolve("small.png");
        assertEquals(
                0,
                gyre(
                        "a red circle",
                        "--type",
                        "q8_0",
                        "--memory",
                        "1",
                        "--steps",
                        "1",
                        "--seed",
                        "1",
                        "-o",
                        to.toString()),
                err.toString());
        assertTrue(err.toString().contains("note: weights in 8 bits (Q8_0): "), err.toString());
        assertTrue(err.toString().contains("note: the two halves of guidance at once take"), err.toString());
    }

    @Test
    void additionsThatMakeNoSenseAreNamed() throws IOException {
        Path none = folder.resolve("none.safetensors"), text = Files.writeString(folder.resolve("x.safetensors"), "x");
        assertEquals(1, gyre("a cat", "--lora", none + ":0.5"));
        assertTrue(err.toString().contains("none.safetensors"), err.toString());
        assertEquals(2, gyre("a cat", "--deepcache", "often"));
        assertEquals(2, gyre("a cat", "--mask", text.toString()));
        assertTrue(err.toString().contains("--mask: goes with --image, which is missing"), err.toString());
        assertEquals(2, gyre("a cat", "--image", circle().toString(), "--outpaint", "1,2,3"));
        assertTrue(
                err.toString().contains("--outpaint: four numbers of pixels as in 0,0,64,0, got 1,2,3"),
                err.toString());
        assertEquals(1, gyre("a cat", "--image", text.toString()));
        assertTrue(err.toString().contains("not an image that can be read"), err.toString());
        assertEquals(1, gyre("a cat", "--safety-checker", text.toString()));
        assertEquals(1, gyre("a cat", "--vae", text.toString()));
        assertEquals(2, gyre("a cat", "--deepcache", "1"));
        assertTrue(
                err.toString().contains("--deepcache: steps from one whole UNet to the next: 2 to 1000, got 1"),
                err.toString());
    }

    @Test
    void devicesNeedTornadoVm() throws IOException {
        mistake(2, "--device, --kernels, --f32 and --explain need --backend tornado", "x", "--explain");
        mistake(
                2,
                "--kernels: reference, simd, workgroup, tensor-core, vendor, got beads",
                "x",
                "--backend",
                "tornado",
                "--kernels",
                "beads");
        mistake(
                2,
                "--f32 does not go with --kernels tensor-core",
                "x",
                "--backend",
                "tornado",
                "--kernels",
                "tensor-core",
                "--f32");
        mistake(2, "--check needs --backend tornado", "x", "--check");
        mistake(2, "--only: there is no case named like abacus", "check", "--only", "abacus");
        for (String[] arguments : new String[][] {{"devices"}, {"check"}, {"x", "--backend", "tornado"}})
            mistake(1, "TornadoVM is not on this JVM: install its SDK", arguments);
    }
}
