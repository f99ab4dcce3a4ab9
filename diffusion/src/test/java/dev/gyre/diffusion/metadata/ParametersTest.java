package dev.gyre.diffusion.metadata;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.Precision;
import dev.gyre.diffusion.noise.NoiseSource;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.output.Preview;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Ddim;
import dev.gyre.diffusion.sampler.Dpmpp2M;
import dev.gyre.diffusion.sampler.EulerAncestral;
import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.diffusion.sampler.Spacing;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What pictures say of themselves, written and read back. */
class ParametersTest {
    @TempDir
    Path folder;

    private static Parameters of(Request request, String model) {
        return new Parameters(
                request,
                Optional.empty(),
                model,
                Optional.empty(),
                false,
                Optional.empty(),
                Precision.F32,
                false,
                "jvm",
                Sources.PLAIN,
                Map.of());
    }

    private static Request request(String prompt) {
        return Request.of(prompt)
                .steps(20)
                .sampler(new Ddim(0))
                .guidance(7)
                .seed(1)
                .size(64, 64);
    }

    @Test
    void everySettingComesBack() {
        Request request = request("a (cat:1.2), [dog:bird:0.5]\nsecond line")
                .negative("blurry, ugly\nlow")
                .guidance(4.5)
                .seed(-7);
        request = request.with(request.text().clipSkip(2).plain(true));
        request = request.with(request.noise()
                .source(NoiseSource.CUDA)
                .variation(new Request.Variation(9, 0.25))
                .stepSeedDelta(31337));
        request = request.with(request.sampling().guided(new Request.StepRange(0.1, 0.9)));
        request = request.sampler(new EulerAncestral(0.5).on(Spacing.KARRAS));
        Parameters parameters = new Parameters(
                request,
                Optional.of(new Request.Size(32, 32)),
                "a \"strange\", model: 1\\2",
                Optional.of("0123456789"),
                true,
                Optional.empty(),
                Precision.BF16,
                true,
                "tornado",
                Sources.PLAIN,
                Map.of());
        assertEquals(parameters, Parameters.parse(parameters.text()));
    }

    @Test
    void everySamplerOnEveryScheduleComesBack() {
        for (Sampler sampler : Sampler.ALL)
            for (Spacing spacing : Spacing.values()) {
                Sampler on = spacing.equals(sampler.schedule()) ? sampler : sampler.on(spacing);
                Parameters parameters = of(request("x").sampler(on), "m");
                assertEquals(parameters, Parameters.parse(parameters.text()));
            }
    }

    @Test
    void whatTheWebUiWrote() {
        Parameters parameters = Parameters.parse(
                """
                a cat, (detailed:1.2)
                Negative prompt: blurry
                Steps: 25, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 965400086, Size: 512x768, Model hash: 1a189f0be6, \
                Model: v1-5-pruned, Clip skip: 2, ENSD: 31337, Lora hashes: "a: b, c: d", Version: v1.6.0""");
        Request request = parameters.request();
        assertEquals("a cat, (detailed:1.2)", request.text().prompt());
        assertEquals("blurry", request.text().negative());
        assertEquals(2, request.text().clipSkip());
        assertEquals(
                Optional.of(new Dpmpp2M().on(Spacing.KARRAS)),
                request.sampling().sampler());
        assertEquals(NoiseSource.CUDA, request.noise().source());
        assertEquals(31337, request.noise().stepSeedDelta());
        assertEquals(Optional.of(new Request.Size(512, 768)), request.size());
        assertEquals("v1-5-pruned", parameters.model());
        assertEquals(Map.of("Lora hashes", "a: b, c: d", "Version", "v1.6.0"), parameters.others());
        parameters = Parameters.parse("Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, Seed: 1, RNG: CPU");
        assertEquals(
                Optional.of(new Dpmpp2M().on(Spacing.KARRAS)),
                parameters.request().sampling().sampler());
        assertEquals(NoiseSource.CPU, parameters.request().noise().source());
        assertEquals("", parameters.request().text().prompt());
    }

    @Test
    void promptsThatLookLikeSettings() {
        for (String prompt : List.of(
                "",
                "Steps: 20, Sampler: warp",
                "Negative prompt: none",
                "a\nNegative prompt: b",
                "a\nSteps: 5, Seed: 9",
                "a\n\n",
                "\n"))
            for (String negative : List.of("", "x", "x\nSteps: 3", "Negative prompt: y", " x ", "x\n")) {
                Parameters read = Parameters.parse(
                        of(request(prompt).negative(negative), "m").text());
                assertEquals(words(prompt), words(read.request().text().prompt()));
                assertEquals(words(negative), words(read.request().text().negative()));
                assertEquals(1, read.seed());
            }
    }

    /** What the tokenizer sees. */
    private static String words(String text) {
        return text.replaceAll("\\s+", " ").strip();
    }

    @Test
    void nonsenseIsNamed() {
        refused("the parameters have no line that begins with \"Steps: \"", "a cat");
        refused("parameters: Steps: a number, got many", "Steps: many");
        refused("parameters: Seed: a number, got 99999999999999999999", "Steps: 1, Seed: 99999999999999999999");
        refused("steps: 1 to 1000, got 0", "Steps: 0");
        refused("size: width and height as in 512x512, got huge", "Steps: 1, Size: huge");
        refused("variation strength: 0 to 1, got 2.0", "Steps: 1, Variation seed: 1, Variation seed strength: 2");
        refused("unknown schedule \"Beta\"", "Steps: 1, Sampler: Euler, Schedule type: Beta");
        refused("unknown sampler \"Restart\"", "Steps: 1, Sampler: Restart");
    }

    private static void refused(String sentence, String text) {
        String message = assertThrows(IllegalArgumentException.class, () -> Parameters.parse(text))
                .getMessage();
        assertTrue(message.startsWith(sentence), message);
    }

    @Test
    void filesThatSayNothingAreNamed() throws IOException {
        Path none = folder.resolve("none.png"), text = Files.writeString(folder.resolve("text.png"), "hello");
        Path mute = folder.resolve("mute.png");
        new Preview(2, 2, new byte[12]).write(mute);
        assertEquals(none + ": there is no such file", failure(none));
        assertEquals(text + ": not a PNG, or a broken one", failure(text));
        assertEquals(mute + ": the picture carries no parameters", failure(mute));
    }

    private static String failure(Path path) {
        return assertThrows(IOException.class, () -> Parameters.read(path)).getMessage();
    }

    /** Whatever is in a file: parameters, or one sentence. */
    @Test
    void brokenFilesAndTextsGetASentence() throws IOException {
        Random random = new Random(11);
        Picture picture =
                new Picture(8, 8, new byte[192], of(request("a \u732b, (b:1.2)").negative("c"), "m"));
        Path path = folder.resolve("x.png");
        picture.write(path);
        byte[] whole = Files.readAllBytes(path);
        int read = 0;
        for (int n = 0; n < 2000; n++) {
            byte[] broken = java.util.Arrays.copyOf(whole, n % 3 == 0 ? random.nextInt(whole.length) : whole.length);
            for (int i = random.nextInt(4); i > 0 && broken.length > 0; i--)
                broken[random.nextInt(broken.length)] = (byte) random.nextInt();
            Files.write(path, broken);
            try {
                Parameters.read(path);
                read++;
            } catch (IOException e) {
                assertTrue(e.getMessage().startsWith(path + ": "), e.toString());
                assertTrue(e.getMessage().length() > path.toString().length() + 5, e.toString());
            }
        }
        assertTrue(read > 100, "only " + read + " were read");
        String text = picture.parameters().text(), letters = ",:\"\\\n xX0.-NS";
        for (int n = 0; n < 5000; n++) {
            StringBuilder some = new StringBuilder(text);
            for (int i = random.nextInt(6); i >= 0; i--) {
                int at = random.nextInt(some.length() + 1);
                if (random.nextBoolean() && at < some.length()) some.deleteCharAt(at);
                else some.insert(at, letters.charAt(random.nextInt(letters.length())));
            }
            try {
                Parameters.parse(some.toString());
            } catch (IllegalArgumentException e) {
                assertTrue(e.getMessage().length() > 5, e.toString());
            }
        }
    }
}
