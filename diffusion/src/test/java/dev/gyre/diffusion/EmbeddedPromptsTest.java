package dev.gyre.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.pipeline.PromptEncoder;
import dev.gyre.diffusion.request.Request;
import dev.gyre.jsafetensors.SafeTensors;
import dev.gyre.tokenizer.PromptChunk;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the embedded model makes of prompts with weights, breaks and edits. */
class EmbeddedPromptsTest {
    private static final String CIRCLE = "a red circle on a blue background",
            STAR = "a green star on a white background";
    private static StableDiffusion sd;

    @BeforeAll
    static void load() {
        sd = StableDiffusion.embedded();
    }

    @AfterAll
    static void close() {
        sd.close();
    }

    /** To five times the error that PyTorch's float32 makes; {@code references/prompts.py} wrote them. */
    @Test
    void textStatesAreThoseOfPyTorch() throws IOException {
        SafeTensors golden;
        try (InputStream in = EmbeddedPromptsTest.class.getResourceAsStream("prompts.safetensors")) {
            golden = SafeTensors.read(in, "prompts.safetensors");
        }
        JsonNode errors = new ObjectMapper().readTree(golden.metadata().get("float32_error"));
        for (String name : golden.names()) {
            String[] prompt = name.split("\\|");
            int skip = prompt.length == 1 ? 1 : Integer.parseInt(prompt[1]);
            PromptEncoder prompts = sd.model().prompts();
            float[] states = prompts.encode(prompts.chunks(prompt[0], false, Progress.NONE), skip)
                    .states();
            Close.within(5 * errors.get(name).asDouble(), golden.floats(name), states, name);
        }
    }

    @Test
    void clipSkipEndsAtTheFirstLayer() {
        List<PromptChunk> chunk = List.of(PromptChunk.empty());
        assertEquals(
                "clip skip: 1 to 3, got 4", refusal(() -> sd.model().prompts().encode(chunk, 4)));
        assertEquals(
                "clip skip: at least 1, got 0",
                refusal(() -> Request.of("").text().clipSkip(0)));
    }

    private static String refusal(org.junit.jupiter.api.function.Executable what) {
        return assertThrows(IllegalArgumentException.class, what).getMessage();
    }

    @Test
    void weightsBeyondAllNumbersAreSaid() {
        String weight = "9".repeat(60);
        Exception e = assertThrows(ArithmeticException.class, () -> sd.model()
                .prompts()
                .encode(sd.model().prompts().chunks("(a:" + weight + ")", false, Progress.NONE), 1));
        assertEquals("the weights in the prompt gave a number that is not finite", e.getMessage());
    }

    private static byte[] draw(String prompt) {
        return sd.generate(Request.of(prompt).steps(4).seed(1)).rgb();
    }

    @Test
    void aPromptThatChangesBeforeTheFirstStepOrAfterTheLastIsTheOtherOne() {
        byte[] circle = draw(CIRCLE), star = draw(STAR);
        assertArrayEquals(star, draw("[" + CIRCLE + ":" + STAR + ":0]"));
        assertArrayEquals(circle, draw("[" + CIRCLE + ":" + STAR + ":4]"));
        byte[] between = draw("[" + CIRCLE + ":" + STAR + ":0.5]");
        assertFalse(Arrays.equals(circle, between));
        assertFalse(Arrays.equals(star, between));
        // In turns, the first first.
        assertArrayEquals(
                draw("[" + CIRCLE + ":[" + STAR + ":[" + CIRCLE + ":" + STAR + ":3]:2]:1]"),
                draw("[" + CIRCLE + "|" + STAR + "]"));
    }

    @Test
    void emphasisAndLongPromptsDraw() {
        assertFalse(Arrays.equals(draw(CIRCLE), draw("a (red:1.5) circle on a blue background")));
        assertArrayEquals(draw(CIRCLE), draw("a (red:1.0) circle on a blue background"));
        // The negative prompt has a chunk less.
        byte[] two = draw(CIRCLE + " BREAK " + STAR);
        assertFalse(Arrays.equals(draw(CIRCLE), two));
    }

    @Test
    void aPlainPromptIsTakenAsItStands() {
        Request request = Request.of("a (red:1.5) circle").steps(2).seed(1);
        assertFalse(Arrays.equals(
                sd.generate(request).rgb(),
                sd.generate(request.with(request.text().plain(true))).rgb()));
    }

    @Test
    void guidanceForPartOfTheSteps() {
        Request request = Request.of(CIRCLE).negative("a star").steps(4).seed(1);
        byte[] all = sd.generate(request).rgb(),
                none = sd.generate(request.guidance(1)).rgb();
        assertArrayEquals(all, sd.generate(part(request, 0, 1)).rgb());
        assertArrayEquals(none, sd.generate(part(request, 0.5, 0.5)).rgb());
        assertArrayEquals(none, sd.generate(part(request, 0.76, 1)).rgb()); // The last step begins at three quarters.
        byte[] some = sd.generate(part(request, 0.25, 0.75)).rgb();
        assertFalse(Arrays.equals(all, some));
        assertFalse(Arrays.equals(none, some));
    }

    private static Request part(Request request, double from, double to) {
        return request.with(request.sampling().guided(new Request.StepRange(from, to)));
    }

    @Test
    void partsOfTheStepsAreChecked() {
        assertTrue(refusal(() -> new Request.StepRange(0.5, 0.2)).contains("got 0.5 to 0.2"));
        assertEquals(
                "part of the steps: from and to as in 0.2-0.8, got x", refusal(() -> Request.StepRange.parse("x")));
        assertEquals(
                new Request.StepRange(0.0001, 0.5),
                Request.StepRange.parse(new Request.StepRange(0.0001, 0.5).toString()));
    }
}
