package dev.gyre.tokenizer;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How much parts of a prompt count, in AUTOMATIC1111's syntax: {@code (text)} 1.1 times as much, {@code [text]} 1.1 times less,
 * {@code (text:1.3)} so many times; brackets may be nested and left open; a backslash takes the meaning of the bracket behind it. The
 * word {@code BREAK} begins a new chunk. What is no such syntax is text: nothing is refused.
 */
public final class Emphasis {
    private static final double STEP = 1.1;
    private static final Pattern TOKEN = Pattern.compile(
            "\\\\[\\\\()\\[\\]]|\\\\|[(\\[]|:\\s*([+-]?(?:\\d+\\.?\\d*|\\.\\d+))\\s*\\)|[)\\]]|:|[^\\\\()\\[\\]:]+");
    private static final Pattern BREAK = Pattern.compile("\\s*\\bBREAK\\b\\s*");

    private Emphasis() {}

    /** A run of text that counts the same. */
    public record Part(String text, double weight) {}

    /**
     * Reads a prompt.
     *
     * @return for each stretch between BREAKs, its parts; an empty stretch has none
     */
    public static List<List<Part>> parse(String prompt) {
        List<String> texts = new ArrayList<>(); // null is a BREAK
        Deque<Integer> round = new ArrayDeque<>(), square = new ArrayDeque<>();
        double[] weights = new double[prompt.length() + 1]; // of each text
        Arrays.fill(weights, 1);
        Matcher token = TOKEN.matcher(prompt);
        while (token.find()) {
            String text = token.group(), weight = token.group(1);
            if (text.startsWith("\\")) {
                texts.add(text.substring(1));
            } else if (text.equals("(")) {
                round.push(texts.size());
            } else if (text.equals("[")) {
                square.push(texts.size());
            } else if (weight != null && !round.isEmpty()) {
                multiply(weights, round.pop(), texts.size(), Double.parseDouble(weight));
            } else if (text.equals(")") && !round.isEmpty()) {
                multiply(weights, round.pop(), texts.size(), STEP);
            } else if (text.equals("]") && !square.isEmpty()) {
                multiply(weights, square.pop(), texts.size(), 1 / STEP);
            } else {
                String[] stretches = BREAK.split(text, -1);
                for (int i = 0; i < stretches.length; i++) {
                    if (i > 0) texts.add(null);
                    if (!stretches[i].isEmpty()) texts.add(stretches[i]);
                }
            }
        }
        for (int from : round) multiply(weights, from, texts.size(), STEP);
        for (int from : square) multiply(weights, from, texts.size(), 1 / STEP);
        return merged(texts, weights);
    }

    private static void multiply(double[] weights, int from, int to, double factor) {
        for (int i = from; i < to; i++) weights[i] *= factor;
    }

    /** Neighbours of the same weight are one text: words do not end between them. */
    private static List<List<Part>> merged(List<String> texts, double[] weights) {
        List<List<Part>> stretches = new ArrayList<>(List.of(new ArrayList<>()));
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < texts.size(); i++) {
            if (texts.get(i) == null) {
                stretches.add(new ArrayList<>());
                continue;
            }
            text.append(texts.get(i));
            boolean goesOn = i + 1 < texts.size() && texts.get(i + 1) != null && weights[i + 1] == weights[i];
            if (goesOn) continue;
            if (!text.isEmpty()) stretches.getLast().add(new Part(text.toString(), weights[i]));
            text.setLength(0);
        }
        return stretches;
    }
}
