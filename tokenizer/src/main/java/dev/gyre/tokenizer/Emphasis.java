package dev.gyre.tokenizer;

import java.util.ArrayDeque;
import java.util.ArrayList;
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
        List<Part> parts = new ArrayList<>(); // null is a BREAK
        Deque<Integer> round = new ArrayDeque<>(), square = new ArrayDeque<>();
        Matcher token = TOKEN.matcher(prompt);
        while (token.find()) {
            String text = token.group(), weight = token.group(1);
            if (text.startsWith("\\")) {
                parts.add(new Part(text.substring(1), 1));
            } else if (text.equals("(")) {
                round.push(parts.size());
            } else if (text.equals("[")) {
                square.push(parts.size());
            } else if (weight != null && !round.isEmpty()) {
                multiply(parts, round.pop(), Double.parseDouble(weight));
            } else if (text.equals(")") && !round.isEmpty()) {
                multiply(parts, round.pop(), STEP);
            } else if (text.equals("]") && !square.isEmpty()) {
                multiply(parts, square.pop(), 1 / STEP);
            } else {
                String[] stretches = BREAK.split(text, -1);
                for (int i = 0; i < stretches.length; i++) {
                    if (i > 0) parts.add(null);
                    parts.add(new Part(stretches[i], 1));
                }
            }
        }
        for (int from : round) multiply(parts, from, STEP);
        for (int from : square) multiply(parts, from, 1 / STEP);
        return merged(parts);
    }

    private static void multiply(List<Part> parts, int from, double factor) {
        for (int i = from; i < parts.size(); i++) {
            Part part = parts.get(i);
            if (part != null) parts.set(i, new Part(part.text, part.weight * factor));
        }
    }

    /** Neighbours of the same weight are one text: words do not end between them. */
    private static List<List<Part>> merged(List<Part> parts) {
        List<List<Part>> stretches = new ArrayList<>(List.of(new ArrayList<>()));
        for (Part part : parts) {
            List<Part> stretch = stretches.getLast();
            if (part == null) stretches.add(new ArrayList<>());
            else if (!stretch.isEmpty() && stretch.getLast().weight == part.weight)
                stretch.add(new Part(stretch.removeLast().text + part.text, part.weight));
            else if (!part.text.isEmpty()) stretch.add(part);
        }
        return stretches;
    }
}
