package dev.gyre.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ClipTokenizerTest {
    private static final ClipTokenizer TOKENIZER = ClipTokenizer.load();

    static Stream<Arguments> known() {
        return Stream.of(
                Arguments.of(
                        "a photograph of an astronaut riding a horse",
                        List.of(320, 8853, 539, 550, 18376, 6765, 320, 4558)),
                Arguments.of("Hello, World!!", List.of(3306, 267, 1002, 748)),
                Arguments.of("it's 2024, isn't it?", List.of(585, 568, 273, 271, 273, 275, 267, 2923, 713, 585, 286)),
                Arguments.of(
                        "caf\u00e9 na\u00efve \u6771\u4eac \ud83d\ude80",
                        List.of(15304, 1097, 35689, 563, 48338, 21078, 361, 13542)),
                Arguments.of("1234.56", List.of(272, 273, 274, 275, 269, 276, 277)),
                Arguments.of("(1girl:1.2), 8k", List.of(263, 272, 1611, 281, 272, 269, 273, 2361, 279, 330)),
                Arguments.of("\u2026", List.of(959)),
                Arguments.of(
                        "x".repeat(40), List.of(32035, 32035, 32035, 32035, 32035, 32035, 32035, 32035, 32035, 22819)),
                Arguments.of("", List.of()));
    }

    @ParameterizedTest
    @MethodSource("known")
    void knownTokens(String text, List<Integer> ids) {
        assertEquals(ids, TOKENIZER.encode(text));
    }

    /** Made with {@code references/hf_vectors.py}. */
    static Stream<Arguments> huggingFace() throws IOException {
        try (InputStream in = ClipTokenizerTest.class.getResourceAsStream("hf-vectors.tsv")) {
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII)
                    .lines()
                    .map(line -> {
                        String[] columns = line.split("\t", -1);
                        List<Integer> ids = columns[1].isEmpty()
                                ? List.of()
                                : Arrays.stream(columns[1].split(" "))
                                        .map(Integer::valueOf)
                                        .toList();
                        return Arguments.of(unescape(columns[0]), ids);
                    });
        }
    }

    @ParameterizedTest
    @MethodSource("huggingFace")
    void asHuggingFaceHasIt(String text, List<Integer> ids) {
        assertEquals(ids, TOKENIZER.encode(text));
    }

    @Test
    void thereAreMoreThan200VectorsOfHuggingFace() throws IOException {
        assertTrue(huggingFace().count() >= 250);
    }

    @Test
    void aVocabularyOf49408() {
        assertEquals(49408, TOKENIZER.size());
    }

    @Test
    void aPromptIsMarkedAndPaddedWithTheEndMark() {
        Prompt prompt = TOKENIZER.tokenize("a cat");
        assertEquals(77, prompt.ids().length);
        assertEquals(2, prompt.tokens());
        assertEquals(List.of(49406, 320, 2368, 49407, 49407), head(prompt.ids(), 5));
        assertEquals(49407, prompt.ids()[76]);
        assertEquals("", prompt.cut());
    }

    @Test
    void theEmptyPromptIsAllPadding() {
        Prompt prompt = TOKENIZER.tokenize("");
        assertEquals(List.of(49406, 49407, 49407), head(prompt.ids(), 3));
        assertEquals(0, prompt.tokens());
    }

    @Test
    void whatIsBeyond75TokensIsCutAndSaid() {
        Prompt prompt = TOKENIZER.tokenize("cat ".repeat(75) + "a red dog!");
        assertEquals(75, prompt.tokens());
        assertEquals("a red dog !", prompt.cut());
        assertEquals(2368, prompt.ids()[75]);
        assertEquals(49407, prompt.ids()[76]);
    }

    @Test
    void halfASurrogatePairIsTheReplacementCharacter() {
        assertEquals(TOKENIZER.encode("a \ufffd b"), TOKENIZER.encode("a \ud83d b"));
    }

    @Test
    void aVeryLongWordTakesNoQuadraticTime() {
        // 300,000 bytes: with a scan of the word for every merge this would take minutes.
        assertTrue(TOKENIZER.encode("abc".repeat(100_000)).size() > 10_000);
    }

    @Test
    void anyTextGivesTokensThatSpellIt() {
        Random random = new Random(3);
        for (int n = 0; n < 20_000; n++) {
            StringBuilder text = new StringBuilder();
            int length = random.nextInt(30);
            for (int i = 0; i < length; i++)
                text.appendCodePoint(random.nextInt(3) == 0 ? random.nextInt(0x110000) : 32 + random.nextInt(95));
            List<Integer> ids = TOKENIZER.encode(text.toString());
            for (int id : ids) assertTrue(id >= 0 && id < 49408);
            assertEquals(spelled(ClipTokenizer.normalize(text.toString())), spelled(TOKENIZER.decode(ids)));
        }
    }

    /** Without white space: words come back with single spaces between, wherever they were cut. */
    private static String spelled(String text) {
        return text.replaceAll("\\p{IsWhite_Space}+", "");
    }

    private static List<Integer> head(int[] ids, int count) {
        List<Integer> head = new ArrayList<>();
        for (int i = 0; i < count; i++) head.add(ids[i]);
        return head;
    }

    /** A JSON string of ASCII. */
    private static String unescape(String json) {
        StringBuilder text = new StringBuilder();
        for (int i = 1; i < json.length() - 1; i++) {
            char c = json.charAt(i);
            if (c != '\\') {
                text.append(c);
                continue;
            }
            char e = json.charAt(++i);
            int known = "bfnrt".indexOf(e);
            if (e == 'u') {
                text.append((char) Integer.parseInt(json, i + 1, i + 5, 16));
                i += 4;
            } else text.append(known >= 0 ? "\b\f\n\r\t".charAt(known) : e);
        }
        return text.toString();
    }

    @Test
    void learnedWordsAreTokensOfTheirOwn() {
        ClipTokenizer plain = ClipTokenizer.load(),
                knowing = plain.with("my-cat", 2).with("<x>", 1);
        assertEquals(49411, knowing.size());
        List<Integer> ids = new ArrayList<>(plain.encode("a photo of"));
        ids.addAll(List.of(49408, 49409));
        ids.addAll(plain.encode("on"));
        ids.add(49410);
        assertEquals(ids, knowing.encode("a photo of My-Cat on <X>"));
        assertEquals(plain.encode("my-cats, amy-cat"), knowing.encode("my-cats, amy-cat"));
        assertEquals("a my-cat <x>", knowing.decode(knowing.encode("a my-cat<x>")));
        // Both of its tokens stay in one chunk.
        List<PromptChunk> chunks = knowing.chunks("a ".repeat(74) + "my-cat");
        assertEquals(2, chunks.size());
        assertEquals(49408, chunks.get(1).ids()[1]);
        assertEquals(49409, chunks.get(1).ids()[2]);
        assertThrows(IllegalArgumentException.class, () -> knowing.with("MY-CAT", 1));
        assertThrows(IllegalArgumentException.class, () -> plain.with(" ", 1));
    }
}
