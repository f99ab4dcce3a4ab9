package dev.gyre.tokenizer;

import java.text.Normalizer;
import java.text.Normalizer.Form;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Unicode's NFC in n log n time. {@link Normalizer} sorts the combining marks of a character by insertion, which takes time quadratic in
 * their number: tens of seconds for a hostile prompt. Longer runs than text has are sorted here first, so that it finds them in order.
 */
final class CanonicalComposition {
    /** The most marks of one character in text that Unicode calls stream-safe (UAX #15, section 13). */
    private static final int STREAM_SAFE = 30;

    /** The mark of the highest combining class, 240: behind it every other moves forward. */
    private static final String HIGHEST = "\u0345";

    private CanonicalComposition() {}

    /** The text in NFC. */
    static String of(String text) {
        return Normalizer.normalize(hasLongRun(text) ? sorted(text) : text, Form.NFC);
    }

    private static boolean hasLongRun(String text) {
        int run = 0;
        for (int i = 0; i < text.length(); i++) {
            // Only a superset of marks is needed here; every surrogate counts.
            int type = Character.getType(text.charAt(i));
            boolean mark = type == Character.NON_SPACING_MARK
                    || type == Character.COMBINING_SPACING_MARK
                    || type == Character.ENCLOSING_MARK
                    || type == Character.SURROGATE;
            run = mark ? run + 1 : 0;
            if (run > STREAM_SAFE) return true;
        }
        return false;
    }

    /** The text with every character decomposed and the marks of each in canonical order. */
    private static String sorted(String text) {
        Map<Integer, String> decomposed = new HashMap<>();
        StringBuilder apart = new StringBuilder();
        text.codePoints()
                .forEach(c -> apart.append(
                        decomposed.computeIfAbsent(c, one -> Normalizer.normalize(Character.toString(one), Form.NFD))));
        int[] points = apart.codePoints().toArray();
        Map<Integer, Integer> ranks = ranks(points);
        for (int from = 0; from < points.length; ) {
            int to = from;
            while (to < points.length && ranks.containsKey(points[to])) to++;
            if (to - from > 1) sort(points, from, to, ranks);
            from = to + 1;
        }
        return new String(points, 0, points.length);
    }

    private static void sort(int[] points, int from, int to, Map<Integer, Integer> ranks) {
        List<Integer> run = Arrays.stream(points, from, to)
                .boxed()
                .sorted((a, b) -> ranks.get(a) - ranks.get(b))
                .toList();
        for (int i = from; i < to; i++) points[i] = run.get(i - from);
    }

    /** For each mark that moves (a combining class above 0), a number that orders it as its class does. */
    private static Map<Integer, Integer> ranks(int[] points) {
        TreeSet<Integer> marks = new TreeSet<>();
        Arrays.stream(points).distinct().filter(CanonicalComposition::moves).forEach(marks::add);
        List<Integer> order =
                marks.stream().sorted(CanonicalComposition::compare).toList();
        Map<Integer, Integer> ranks = new HashMap<>();
        int rank = 0;
        for (int i = 0; i < order.size(); i++) {
            if (i > 0 && compare(order.get(i - 1), order.get(i)) != 0) rank++;
            ranks.put(order.get(i), rank);
        }
        return ranks;
    }

    private static boolean moves(int point) {
        String mark = Character.toString(point);
        return mark.equals(HIGHEST) || swaps(HIGHEST, mark);
    }

    /** By combining class, which Java does not give out: canonical order shows which of two marks has the lower. */
    private static int compare(int a, int b) {
        String left = Character.toString(a), right = Character.toString(b);
        return swaps(left, right) ? 1 : swaps(right, left) ? -1 : 0;
    }

    private static boolean swaps(String first, String second) {
        return Normalizer.normalize(first + second, Form.NFD).equals(second + first) && !first.equals(second);
    }
}
