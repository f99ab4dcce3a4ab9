package dev.gyre.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * CLIP's tokenizer as Hugging Face's has it: NFC, runs of white space to one space, lower case, words by a pattern, then byte pairs.
 * Loading reads the merges (about a tenth of a second); a tokenizer is immutable and safe to share.
 */
public final class ClipTokenizer {
    public static final int START = 49406;

    /** Also the padding. */
    public static final int END = 49407;

    /** Ids of a {@link Prompt}. */
    public static final int LENGTH = 77;

    private static final Pattern MARK = Pattern.compile("<\\|startoftext\\|>|<\\|endoftext\\|>");
    private static final Pattern SPACE = Pattern.compile("\\p{IsWhite_Space}+");
    private static final Pattern WORD =
            Pattern.compile("'s|'t|'re|'ve|'m|'ll|'d|\\p{L}+|\\p{N}|[^\\p{IsWhite_Space}\\p{L}\\p{N}]+");

    private final Vocabulary vocabulary;

    private ClipTokenizer(Vocabulary vocabulary) {
        this.vocabulary = vocabulary;
    }

    public static ClipTokenizer load() {
        return new ClipTokenizer(new Vocabulary());
    }

    /** Tokens there are: 49408. */
    public int size() {
        return vocabulary.size();
    }

    /**
     * The text's tokens, without marks around them and however many there are. Where the text itself says {@code <|startoftext|>} or
     * {@code <|endoftext|>} the mark stands. Half of a surrogate pair counts as U+FFFD.
     */
    public List<Integer> encode(String text) {
        List<Integer> ids = new ArrayList<>();
        Matcher mark = MARK.matcher(text);
        int from = 0;
        while (mark.find()) {
            words(text.substring(from, mark.start()), ids);
            ids.add(mark.group().startsWith("<|s") ? START : END);
            from = mark.end();
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
            String symbol = vocabulary.symbol(id);
            if (id >= START) {
                bytes.writeBytes((symbol + " ").getBytes(StandardCharsets.UTF_8));
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
        String spaced =
                SPACE.matcher(Normalizer.normalize(whole, Normalizer.Form.NFC)).replaceAll(" ");
        StringBuilder lower = new StringBuilder();
        // One character at a time: the last sigma of a word stays a sigma like any other.
        spaced.codePoints().forEach(c -> lower.append(Character.toString(c).toLowerCase(Locale.ROOT)));
        return lower.toString();
    }
}
