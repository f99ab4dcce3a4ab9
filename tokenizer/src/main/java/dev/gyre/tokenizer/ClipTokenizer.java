package dev.gyre.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * CLIP's tokenizer as Hugging Face's has it: NFC, runs of white space to one space, lower case, words by a pattern, then byte pairs.
 * Loading reads the merges (about a tenth of a second); a tokenizer is immutable and safe to share.
 */
public final class ClipTokenizer {
    /** The id that every prompt begins with. */
    public static final int START = 49406;

    /** Also the padding. */
    public static final int END = 49407;

    /** Ids of a {@link Prompt}. */
    public static final int LENGTH = 77;

    private static final Map<String, List<Integer>> MARKS =
            Map.of("<|startoftext|>", List.of(START), "<|endoftext|>", List.of(END));
    private static final Pattern SPACE = Pattern.compile("\\p{IsWhite_Space}+");
    private static final Pattern WORD =
            Pattern.compile("'s|'t|'re|'ve|'m|'ll|'d|\\p{L}+|\\p{N}|[^\\p{IsWhite_Space}\\p{L}\\p{N}]+");

    private final Vocabulary vocabulary;
    private final List<String> learned; // what tokens beyond the vocabulary stand for; empty for all but a word's first
    private final Map<String, List<Integer>> special; // marks and learned words, in lower case
    private final Pattern pattern; // of those

    private ClipTokenizer(Vocabulary vocabulary, List<String> learned, Map<String, List<Integer>> special) {
        this.vocabulary = vocabulary;
        this.learned = learned;
        this.special = special;
        pattern = Pattern.compile(special.keySet().stream()
                .sorted(Comparator.comparing(String::length).reversed()) // the longest first
                .map(word -> MARKS.containsKey(word) ? Pattern.quote(word) : wordOfItsOwn(word))
                .collect(Collectors.joining("|")));
    }

    /** In either case, no letter or digit of another word beside it. */
    private static String wordOfItsOwn(String word) {
        String other = "[\\p{L}\\p{N}]";
        boolean left = Character.isLetterOrDigit(word.codePointAt(0));
        boolean right = Character.isLetterOrDigit(word.codePointBefore(word.length()));
        return (left ? "(?<!" + other + ")" : "") + "(?iu:" + Pattern.quote(word) + ")"
                + (right ? "(?!" + other + ")" : "");
    }

    /** Reads the vocabulary that comes with this module: CLIP's, 49408 tokens. */
    public static ClipTokenizer load() {
        return new ClipTokenizer(new Vocabulary(), List.of(), MARKS);
    }

    /**
     * This tokenizer with a word that was learned (textual inversion): wherever it stands as a word of its own, in either case, there
     * are new tokens, the first of which is {@link #size()}.
     *
     * @throws IllegalArgumentException when it is empty or known already
     */
    public ClipTokenizer with(String word, int tokens) {
        String name = word.toLowerCase(Locale.ROOT);
        if (name.isBlank() || tokens < 1)
            throw new IllegalArgumentException("a word and its tokens, got \"" + word + "\"");
        if (special.containsKey(name)) throw new IllegalArgumentException("the word \"" + word + "\" is known already");
        Map<String, List<Integer>> words = new HashMap<>(special);
        words.put(name, IntStream.range(size(), size() + tokens).boxed().toList());
        List<String> more = new ArrayList<>(learned);
        for (int i = 0; i < tokens; i++) more.add(i == 0 ? word : "");
        return new ClipTokenizer(vocabulary, more, words);
    }

    /** Tokens there are: 49408, and those of learned words. */
    public int size() {
        return vocabulary.size() + learned.size();
    }

    /**
     * The text's tokens, without marks around them and however many there are. Where the text itself says {@code <|startoftext|>} or
     * {@code <|endoftext|>} the mark stands. Half of a surrogate pair counts as U+FFFD.
     */
    public List<Integer> encode(String text) {
        List<Integer> ids = new ArrayList<>();
        Matcher found = pattern.matcher(text);
        int from = 0;
        while (found.find()) {
            words(text.substring(from, found.start()), ids);
            ids.addAll(special.get(found.group().toLowerCase(Locale.ROOT)));
            from = found.end();
        }
        words(text.substring(from), ids);
        return ids;
    }

    /** The text as the encoder takes it; what is beyond 75 tokens is cut and said. */
    public Prompt tokenize(String text) {
        List<Integer> all = encode(text);
        int tokens = Math.min(all.size(), LENGTH - 2);
        int[] ids = new int[LENGTH];
        Arrays.fill(ids, END);
        ids[0] = START;
        for (int i = 0; i < tokens; i++) ids[i + 1] = all.get(i);
        return new Prompt(ids, tokens, decode(all.subList(tokens, all.size())));
    }

    /**
     * The text with {@link Emphasis}, however long it is.
     *
     * @return chunks of 75 tokens, at least one
     */
    public List<PromptChunk> chunks(String text) {
        Chunks chunks = new Chunks();
        List<List<Emphasis.Part>> stretches = Emphasis.parse(text);
        for (int i = 0; i < stretches.size(); i++) {
            if (i > 0) chunks.end();
            for (Emphasis.Part part : stretches.get(i)) chunks.add(encode(part.text()), part.weight());
        }
        return chunks.finish();
    }

    /** The text of these tokens: words with single spaces between. */
    public String decode(List<Integer> ids) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int id : ids) {
            String symbol = id < vocabulary.size() ? vocabulary.symbol(id) : learned.get(id - vocabulary.size());
            if (id >= START) {
                if (!symbol.isEmpty()) bytes.writeBytes((symbol + " ").getBytes(StandardCharsets.UTF_8));
                continue;
            }
            boolean last = symbol.endsWith(Vocabulary.END_OF_WORD);
            int length = symbol.length() - (last ? Vocabulary.END_OF_WORD.length() : 0);
            for (int i = 0; i < length; i++) bytes.write(vocabulary.toByte(symbol.charAt(i)));
            if (last) bytes.write(' ');
        }
        return bytes.toString(StandardCharsets.UTF_8).strip();
    }

    private void words(String text, List<Integer> to) {
        Matcher word = WORD.matcher(normalize(text));
        while (word.find()) Bpe.encode(word.group(), vocabulary, to);
    }

    static String normalize(String text) {
        String whole = new String(text.getBytes(StandardCharsets.UTF_16LE), StandardCharsets.UTF_16LE);
        String spaced = SPACE.matcher(CanonicalComposition.of(whole)).replaceAll(" ");
        StringBuilder lower = new StringBuilder();
        // One character at a time: the last sigma of a word stays a sigma like any other.
        spaced.codePoints().forEach(c -> lower.append(Character.toString(c).toLowerCase(Locale.ROOT)));
        return lower.toString();
    }
}
