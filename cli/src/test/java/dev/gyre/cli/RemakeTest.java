package dev.gyre.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.Precision;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** Whatever option a picture was drawn with: its PNG says so, and remade it is the same file. */
class RemakeTest {
    /** Options that change nothing about the picture, or what it is drawn on. */
    private static final Set<String> OTHERS = Set.of(
            "--output",
            "--threads",
            "--low-memory",
            "--trace",
            "--preview-interval",
            "--preview",
            "--memory",
            "--check",
            "--help",
            "--version",
            "--backend",
            "--device",
            "--kernels",
            "--f32",
            "--explain");

    @TempDir
    private static Path folder;

    private final StringWriter err = new StringWriter();

    @BeforeAll
    static void files() throws IOException {
        TestFiles.in(folder);
    }

    /** Arguments, blanks between them; @ is the folder. */
    static Stream<String> drawings() {
        List<String> all = new ArrayList<>(List.of(
                "--size 64x72",
                "--size 256x256", // drawn smaller and enlarged
                "--negative moon --clip-skip 2",
                "--plain-prompt",
                "--sampler euler_a --schedule karras --eta 0.5 --steps 2",
                "--sampler DPMSolverMultistepScheduler --steps 3",
                "--sampler UniPC --schedule karras_whole --steps 3",
                "--guidance 3.25 --guidance-interval 0.5-1 --steps 2",
                "--rng cuda --variation-seed 5 --variation-strength 0.3 --eta-noise-seed-delta 7 --sampler euler_a --steps 2",
                "--image @/circle.png --strength 0.6 --steps 2",
                "--image @/circle.png --mask @/mask.png --mask-blur 2.5 --steps 2",
                "--image @/circle.png --mask @/mask.png --mask-padding 8 --size 64x64 --steps 2",
                "--image @/circle.png --outpaint 0,8,16,0 --mask-blur 1 --strength 0.9 --steps 2",
                "--hires 1.5 --hires-strength 0.5 --hires-steps 3 --steps 2 --size 64x64",
                "--hires 1.5 --hires-upscaler lanczos --steps 2 --size 64x64",
                "--image @/circle.png --size 64x64 --hires 1.5 --steps 2 --hires-strength 0.9",
                "--lora @/weights/lora-kohya.safetensors:0.7 --lora @/weights/lora-peft.safetensors:-0.3",
                "<lora:lora-peft:0.4> --lora-dir @",
                "<lora:lora-peft:0.4> --lora @/weights/lora-peft.safetensors",
                "wobbly --embedding @/weights/wobbly.safetensors",
                "--control @/weights/control.safetensors:@/circle.png:0.8:0-0.6 --steps 2",
                "--seamless",
                "--noise-shift 3 --sampler euler_a --steps 2",
                "--deepcache 2:2 --steps 3",
                "--image @/circle.png --size 576x64 --strength 0.5 --steps 2 --vae-tiling",
                "--image @/circle.png --size 576x520 --strength 0.5 --steps 2 --memory 20",
                "--vae @/brighter.safetensors",
                "--model @/averaged.safetensors --ema",
                "--prediction v",
                "--type q8_0",
                "--batch 2",
                "--safety-checker @/weights/prude.safetensors"));
        if (Precision.BF16.refusal().isEmpty()) all.add("--precision bf16");
        return all.stream();
    }

    @Test
    void everyOptionIsTried() {
        Set<String> tried = new HashSet<>(List.of("--seed", "--precision"));
        drawings().flatMap(line -> Arrays.stream(line.split(" "))).forEach(tried::add);
        for (CommandLine.Model.OptionSpec option :
                GyreCommand.commandLine().getCommandSpec().options())
            if (!option.hidden()) // another name of one that is not
            assertTrue(
                        tried.contains(option.longestName()) || OTHERS.contains(option.longestName()),
                        option.longestName() + " is neither tried nor known to change nothing");
        for (String other : OTHERS)
            assertTrue(
                    GyreCommand.commandLine().getCommandSpec().optionsMap().containsKey(other),
                    other + " is no option");
    }

    @ParameterizedTest
    @MethodSource("drawings")
    void isTheSameFile(String options) throws IOException {
        Path first = Files.createTempDirectory(folder, "drawn").resolve("a.png"), again = first.resolveSibling("b.png");
        List<String> arguments = new ArrayList<>(List.of("a red circle", "--seed", "3", "-o", first.toString()));
        if (!options.contains("--steps")) arguments.addAll(List.of("--steps", "1"));
        if (!options.contains("--size") && !options.contains("--image")) arguments.addAll(List.of("--size", "64x64"));
        for (String one : options.replace("@", folder.toString()).split(" "))
            if (one.startsWith("<") || one.equals("wobbly")) arguments.set(0, "a red circle " + one);
            else arguments.add(one);
        draw(0, arguments);
        if (options.contains("--batch")) first = first.resolveSibling("a-2.png");
        byte[] plain = Files.readAllBytes(first);
        List<String> remake = new ArrayList<>(List.of("remake", first.toString(), "-o", again.toString()));
        // Absolute paths are not told: the files are named again.
        for (String with : new String[] {"", "weights", "weights/lora-kohya.safetensors"})
            remake.addAll(List.of("--with", folder.resolve(with).toString()));
        if (options.contains("--model"))
            remake.addAll(
                    List.of("--model", folder.resolve("averaged.safetensors").toString()));
        draw(0, remake);
        assertEquals(-1, Files.mismatch(first, again), options);
        assertFalse(new String(plain, java.nio.charset.StandardCharsets.ISO_8859_1).contains(folder.toString()));
        String said = err.toString();
        assertFalse(said.contains("does not know"), said);
    }

    private void draw(int status, List<String> arguments) {
        CommandLine line = GyreCommand.commandLine();
        line.setErr(new PrintWriter(err, true));
        assertEquals(status, line.execute(arguments.toArray(String[]::new)), err.toString());
        assertFalse(err.toString().contains("\tat "), err.toString());
    }

    @Test
    void filesLieWhereTheyLayOrBesideThePicture() throws IOException {
        Path place = Files.createTempDirectory(folder, "place"), first = place.resolve("a.png");
        Path circle = Files.copy(folder.resolve("circle.png"), place.resolve("start.png"));
        draw(0, List.of("a star", "--steps", "2", "--seed", "1", "-i", circle.toString(), "-o", first.toString()));
        draw(0, List.of("remake", first.toString()));
        assertEquals(-1, Files.mismatch(first, place.resolve("a-again.png")));
        // From this test's working folder the path is told as it was named.
        Path lora = Path.of("../diffusion/src/test/resources/dev/gyre/diffusion/lora-kohya.safetensors");
        draw(0, List.of("a star", "--steps", "1", "--seed", "1", "--lora", lora.toString(), "-o", first.toString()));
        draw(0, List.of("remake", first.toString()));
        assertEquals(-1, Files.mismatch(first, place.resolve("a-again.png")));
    }

    @Test
    void whatIsMissingOrAnotherIsNamed() throws IOException {
        Path place = Files.createTempDirectory(folder, "gone"), first = place.resolve("a.png");
        Path circle = Files.copy(folder.resolve("circle.png"), place.resolve("start.png"));
        draw(0, List.of("a star", "--steps", "2", "--seed", "1", "-i", circle.toString(), "-o", first.toString()));
        Files.delete(circle);
        draw(1, List.of("remake", first.toString()));
        assertTrue(
                err.toString()
                        .matches("(?s).*gyre: " + first + ": it was made with the file start.png \\(SHA-256 "
                                + "[0-9a-f]{10}…\\), which is not found; name it, or its folder, with --with\n"),
                err.toString());
        Files.copy(folder.resolve("mask.png"), circle);
        draw(1, List.of("remake", first.toString()));
        assertTrue(err.toString().contains("which is not found: " + circle + " is another file;"), err.toString());
        draw(
                0,
                List.of(
                        "remake",
                        first.toString(),
                        "--with",
                        folder.resolve("circle.png").toString()));
        // The file is called otherwise now, which the new picture says.
        assertEquals(0, difference(first, place.resolve("a-again.png")));
        draw(
                1,
                List.of(
                        "remake",
                        first.toString(),
                        "--with",
                        place.resolve("nowhere").toString()));
        assertTrue(err.toString().contains("nowhere: there is no such file or folder"), err.toString());
    }

    @Test
    void aPromptsLoraIsFoundOnceOrSaidNotToBe() throws IOException {
        String file = folder.resolve("x.png").toString();
        draw(2, List.of("a star <lora:lora-peft>", "-o", file));
        assertTrue(err.toString().contains("--lora-dir: needed for the LoRA \"lora-peft\""), err.toString());
        draw(1, List.of("a star <lora:other:1>", "--lora-dir", folder.toString(), "-o", file));
        assertTrue(err.toString().contains("expected one file other.safetensors, found none"), err.toString());
        draw(2, List.of("a star <lora:lora-peft:much>", "--lora-dir", folder.toString(), "-o", file));
        assertTrue(err.toString().contains("as in <lora:lora-peft:0.8>, got <lora:lora-peft:much>"), err.toString());
        draw(1, List.of("a star <lora:x>", "--lora-dir", folder.resolve("none").toString(), "-o", file));
        assertTrue(err.toString().contains("none: there is no such folder"), err.toString());
        assertFalse(Files.exists(Path.of(file)));
    }

    @Test
    void aMergedCheckpointDrawsWhatTheLoraDraws() throws IOException {
        Path merged = folder.resolve("merged.safetensors"), lora = folder.resolve("weights/lora-kohya.safetensors");
        draw(0, List.of("merge", "--lora", lora + ":0.8", "--dtype", "f32", "-o", merged.toString()));
        Path beside = folder.resolve("beside.png"),
                within = folder.resolve("within.png"),
                plain = folder.resolve("p.png");
        for (Object[] one :
                new Object[][] {{beside, "--lora", lora + ":0.8"}, {within, "-m", merged}, {plain, "--steps", 3}})
            draw(
                    0,
                    List.of(
                            "a red circle",
                            "--steps",
                            "3",
                            "--seed",
                            "1",
                            "-o",
                            one[0].toString(),
                            one[1].toString(),
                            one[2].toString()));
        assertTrue(difference(beside, within) < 1, "off by " + difference(beside, within));
        assertTrue(difference(beside, plain) > 3, "the LoRA does nothing: " + difference(beside, plain));
        draw(2, List.of("merge", "--lora", lora + ":much", "-o", merged.toString()));
        draw(2, List.of("merge", "--dtype", "q8", "-o", merged.toString()));
        draw(1, List.of("merge", "--ema", "-o", folder.resolve("no.safetensors").toString()));
        assertFalse(Files.exists(folder.resolve("no.safetensors")));
    }

    private static double difference(Path a, Path b) throws IOException {
        byte[] one = dev.gyre.diffusion.image.Image.read(a).rgb(),
                other = dev.gyre.diffusion.image.Image.read(b).rgb();
        double sum = 0;
        for (int i = 0; i < one.length; i++) sum += Math.abs((one[i] & 0xFF) - (other[i] & 0xFF));
        return sum / one.length;
    }
}
