package dev.gyre.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Emphasis, edits and chunks as AUTOMATIC1111's web UI reads them: {@code webui-prompts.tsv} was made by its grammar, its pattern and
 * its rules for chunks (2024), run with Hugging Face's tokenizer. Prompts that its grammar cannot parse are not among them, nor those
 * with a BREAK inside brackets or two in a row, which it takes for text.
 */
class PromptSyntaxTest {
    private static final ClipTokenizer TOKENIZER = ClipTokenizer.load();

    /** Columns: prompt; [last step, prompt until then] of 10; [text, weight], a BREAK has −1; chunks of ids and runs of weights. */
    static Stream<List<JsonNode>> vectors() throws IOException {
        ObjectMapper json = new ObjectMapper();
        try (InputStream in = PromptSyntaxTest.class.getResourceAsStream("webui-prompts.tsv")) {
            List<List<JsonNode>> lines = new ArrayList<>();
            for (String line : new String(in.readAllBytes(), StandardCharsets.US_ASCII).split("\n")) {
                List<JsonNode> columns = new ArrayList<>();
                for (String column : line.split("\t")) columns.add(json.readTree(column));
                lines.add(columns);
            }
            return lines.stream();
        }
    }

    @Test
    void vectorsAreThere() throws IOException {
        assertTrue(vectors().count() > 200);
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void edits(List<JsonNode> vector) {
        PromptEdits edits = PromptEdits.parse(vector.get(0).asText());
        int step = 1;
        for (JsonNode until : vector.get(1))
            for (; step <= until.get(0).asInt(); step++)
                assertEquals(until.get(1).asText(), edits.at(step, 10));
        assertEquals(11, step);
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void emphasis(List<JsonNode> vector) {
        List<List<Emphasis.Part>> expected = new ArrayList<>(List.of(new ArrayList<>()));
        for (JsonNode part : vector.get(2)) {
            String text = part.get(0).asText();
            if (text.equals("BREAK") && part.get(1).asDouble() == -1) expected.add(new ArrayList<>());
            else if (!text.isEmpty())
                expected.getLast().add(new Emphasis.Part(text, part.get(1).asDouble()));
        }
        List<List<Emphasis.Part>> actual = Emphasis.parse(vector.get(0).asText());
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            assertEquals(texts(expected.get(i)), texts(actual.get(i)));
            for (int j = 0; j < expected.get(i).size(); j++)
                assertEquals(
                        expected.get(i).get(j).weight(), actual.get(i).get(j).weight(), 1e-12);
        }
    }

    private static List<String> texts(List<Emphasis.Part> parts) {
        return parts.stream().map(Emphasis.Part::text).toList();
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void chunks(List<JsonNode> vector) {
        List<PromptChunk> chunks = TOKENIZER.chunks(vector.get(0).asText());
        assertEquals(vector.get(3).size(), chunks.size());
        for (int i = 0; i < chunks.size(); i++) {
            JsonNode chunk = vector.get(3).get(i);
            int[] ids = new int[77];
            float[] weights = new float[77];
            Arrays.fill(ids, ClipTokenizer.END);
            Arrays.fill(weights, 1);
            ids[0] = ClipTokenizer.START;
            for (int j = 0; j < chunk.get(0).size(); j++)
                ids[j + 1] = chunk.get(0).get(j).asInt();
            int at = 1;
            for (JsonNode run : chunk.get(1))
                for (int k = 0; k < run.get(1).asInt(); k++)
                    weights[at++] = (float) run.get(0).asDouble();
            assertArrayEquals(ids, chunks.get(i).ids());
            assertArrayEquals(weights, chunks.get(i).weights(), 1e-6f);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "a [b|c:3]; a ; a b|c", // what the web UI does not parse: a bar is text
                "a | [b:5]; a | ; a | b",
            })
    void barsThatAlternateNothingAreText(String prompt, String first, String last) {
        PromptEdits edits = PromptEdits.parse(prompt);
        assertEquals(first.strip(), edits.at(1, 10).strip());
        assertEquals(last.strip(), edits.at(10, 10).strip());
    }

    @Test
    void aBreakInBracketsBreaksToo() {
        List<List<Emphasis.Part>> stretches = Emphasis.parse("(a BREAK b) BREAK BREAK c");
        assertEquals(4, stretches.size());
        assertEquals(List.of(new Emphasis.Part("a", 1.1)), stretches.get(0));
        assertEquals("b", stretches.get(1).get(0).text());
        assertEquals(List.of(), stretches.get(2));
        assertEquals(4, TOKENIZER.chunks("(a BREAK b) BREAK BREAK c").size());
    }

    @Test
    void nothingIsRefusedAndNothingTakesLong() {
        Random random = new Random(5);
        String letters = "[]()|::\\ a1.,-BREAK\n\ud83d\u00e9";
        for (int n = 0; n < 3000; n++) {
            StringBuilder prompt = new StringBuilder();
            for (int i = random.nextInt(60); i > 0; i--)
                prompt.append(letters.charAt(random.nextInt(letters.length())));
            check(prompt.toString());
        }
        for (String piece : List.of("[", "(", "[a:", "[a|", "(a:", "[a:b:1]", "]", "[[a|b]:", "\\", "a", "[(:|"))
            check(piece.repeat(5000));
        check("[".repeat(3000) + "a" + ":b:3]".repeat(3000));
        check("[".repeat(50) + "a" + ":b:3]".repeat(50));
        check("(".repeat(3000) + "a" + ")".repeat(3000));
    }

    private static void check(String prompt) {
        PromptEdits edits = PromptEdits.parse(prompt);
        for (int step : new int[] {1, 7, 20}) {
            List<PromptChunk> chunks = TOKENIZER.chunks(edits.at(step, 20));
            assertTrue(chunks.stream().allMatch(c -> c.ids().length == 77 && c.weights().length == 77), prompt);
        }
    }
}
