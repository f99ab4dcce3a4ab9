package dev.gyre.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.text.Normalizer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CanonicalCompositionTest {
    /** The JDK's own, on runs short enough for it, of every mark that there is. */
    @Test
    void itIsNfc() {
        List<Integer> marks = new ArrayList<>();
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            int type = Character.getType(c);
            if (type == Character.NON_SPACING_MARK || type == Character.COMBINING_SPACING_MARK) marks.add(c);
        }
        Random random = new Random(3);
        int[] starters = {'a', 'o', 0xE9, 0x1EA5, 0x915, 0xAC00, 0x1100, 0x1F600, 0x344, 0xFB2A};
        for (int round = 0; round < 300; round++) {
            StringBuilder text = new StringBuilder();
            for (int run = 0; run < 4; run++) {
                text.appendCodePoint(starters[random.nextInt(starters.length)]);
                int count = random.nextInt(80), kinds = 1 + random.nextInt(6);
                int[] some = random.ints(kinds, 0, marks.size()).map(marks::get).toArray();
                for (int i = 0; i < count; i++)
                    text.appendCodePoint(
                            round % 2 == 0 ? some[random.nextInt(kinds)] : marks.get(random.nextInt(marks.size())));
            }
            String expected = Normalizer.normalize(text, Normalizer.Form.NFC);
            assertEquals(expected, CanonicalComposition.of(text.toString()));
        }
    }

    /** Marks of two classes in turn, which insertion sorts in a minute. The limit is generous: this takes a tenth of a second. */
    @Test
    void aMillionMarksEnd() {
        String text = "a" + "\u0301\u0316".repeat(500_000);
        String composed = assertTimeoutPreemptively(Duration.ofSeconds(60), () -> CanonicalComposition.of(text));
        assertEquals("\u00e1" + "\u0316".repeat(500_000) + "\u0301".repeat(499_999), composed);
    }
}
