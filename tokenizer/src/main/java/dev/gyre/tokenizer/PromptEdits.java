package dev.gyre.tokenizer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A prompt that changes while a picture is drawn, in AUTOMATIC1111's syntax: {@code [from:to:when]} changes once the step {@code when}
 * is done, with a decimal point a part of all steps; {@code [to:when]} adds, {@code [from::when]} takes away; {@code [a|b]} changes with
 * every step. What is no such syntax is text, brackets of {@link Emphasis} among it: nothing is refused.
 */
public final class PromptEdits {
    private static final Pattern WHEN =
            Pattern.compile(":\\s*([+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?)\\s*\\]");
    private static final Pattern PLAIN = Pattern.compile("[^\\\\\\[\\]():|]+|\\\\.", Pattern.DOTALL);
    /** Deeper than this, brackets are text. */
    private static final int DEEPEST = 64;

    private final List<Node> nodes;

    private PromptEdits(List<Node> nodes) {
        this.nodes = nodes;
    }

    /** Reads a prompt in the syntax that the class tells. */
    public static PromptEdits parse(String prompt) {
        return new PromptEdits(new Parser(prompt).everything());
    }

    /** A prompt that stays as it is. */
    public static PromptEdits none(String prompt) {
        return new PromptEdits(List.of(new Text(prompt)));
    }

    /**
     * The prompt in a step.
     *
     * @param step from 1
     */
    public String at(int step, int steps) {
        return text(nodes, step, steps);
    }

    private static String text(List<Node> nodes, int step, int steps) {
        return nodes.stream().map(n -> n.at(step, steps)).collect(Collectors.joining());
    }

    private sealed interface Node {
        String at(int step, int steps);
    }

    private record Text(String text) implements Node {
        @Override
        public String at(int step, int steps) {
            return text;
        }
    }

    private record Group(List<Node> nodes) implements Node {
        @Override
        public String at(int step, int steps) {
            return text(nodes, step, steps);
        }
    }

    private record Change(List<Node> from, List<Node> to, String when) implements Node {
        @Override
        public String at(int step, int steps) {
            double number = Double.parseDouble(when);
            int last = (int) Math.min(steps, when.contains(".") ? number * steps : number);
            return text(step <= last ? from : to, step, steps);
        }
    }

    private record Alternation(List<List<Node>> options) implements Node {
        @Override
        public String at(int step, int steps) {
            return text(options.get((step - 1) % options.size()), step, steps);
        }
    }

    /** By recursive descent; a bracket that leads nowhere is text. */
    private static final class Parser {
        private final String prompt;
        private int at;
        private int depth;
        /** What the bracket at a place was found to begin, and where it ends: each is read once. */
        private final Map<Integer, Found> found = new HashMap<>();

        private record Found(Node node, int end) {}

        Parser(String prompt) {
            this.prompt = prompt;
        }

        List<Node> everything() {
            List<Node> nodes = new ArrayList<>();
            while (at < prompt.length()) {
                nodes.addAll(sequence(false));
                if (at < prompt.length()) nodes.add(new Text(prompt.substring(at, ++at))); // stray
            }
            return nodes;
        }

        /** As far as it goes: to the end, or to a bracket, a colon or a bar that begins nothing. */
        private List<Node> sequence(boolean bars) {
            List<Node> nodes = new ArrayList<>();
            while (at < prompt.length()) {
                Matcher plain = PLAIN.matcher(prompt).region(at, prompt.length());
                char c = prompt.charAt(at);
                if (plain.lookingAt()) {
                    nodes.add(new Text(plain.group()));
                    at = plain.end();
                } else if (bars && c == '|') {
                    nodes.add(new Text("|"));
                    at++;
                } else if (c == '[' || c == '(') {
                    Node node = bracket(c);
                    if (node == null) return nodes;
                    nodes.add(node);
                } else {
                    return nodes;
                }
            }
            return nodes;
        }

        /** What begins with the bracket here; null, and nothing read, when it is no whole one. */
        private Node bracket(char open) {
            int start = at;
            if (!found.containsKey(start)) {
                if (depth == DEEPEST) return null;
                depth++;
                Node node = open == '(' ? round() : square(start);
                depth--;
                found.put(start, new Found(node, node == null ? start : at));
            }
            at = found.get(start).end;
            return found.get(start).node;
        }

        private Node round() {
            List<Node> nodes = new ArrayList<>(List.of(new Text("(")));
            at++;
            nodes.addAll(sequence(false));
            if (next(':')) {
                nodes.add(new Text(":"));
                nodes.addAll(sequence(false));
            }
            if (!next(')')) return null;
            nodes.add(new Text(")"));
            return new Group(nodes);
        }

        private Node square(int start) {
            at++;
            List<Node> first = sequence(false);
            if (next(']')) return new Group(List.of(new Text("["), new Group(first), new Text("]")));
            if (at < prompt.length() && prompt.charAt(at) == '|') {
                List<List<Node>> options = new ArrayList<>(List.of(first));
                while (next('|')) options.add(sequence(false));
                if (next(']')) return new Alternation(options);
            }
            at = start + 1;
            first = sequence(true);
            String when = when();
            if (when != null) return new Change(List.of(), first, when);
            if (!next(':')) return null;
            List<Node> second = sequence(true);
            when = when();
            return when == null ? null : new Change(first, second, when);
        }

        /** A number between a colon and the closing bracket. */
        private String when() {
            Matcher matcher = WHEN.matcher(prompt).region(at, prompt.length());
            if (!matcher.lookingAt()) return null;
            at = matcher.end();
            return matcher.group(1);
        }

        private boolean next(char c) {
            if (at >= prompt.length() || prompt.charAt(at) != c) return false;
            at++;
            return true;
        }
    }
}
