package dev.gyre.tokenizer;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * CLIP's 49,408 symbols and the order in which they merge. All of it follows from the list of merges: 256 symbols for bytes, the
 * same as the end of a word, one for each merge, and two marks.
 */
final class Vocabulary {
    private static final String RESOURCE = "clip-merges.txt";

    /** Ends the last symbol of a word. */
    static final String END_OF_WORD = "</w>";

    private final List<String> symbols = new ArrayList<>();
    private final Map<String, Integer> ids = new HashMap<>();
    private final Map<Long, Integer> merges = new HashMap<>(); // a pair of ids, to the rank of their merge
    private final int[] merged; // by rank
    private final int[] byteIds = new int[256];
    private final int[] bytes = new int[0x200]; // of the characters that stand for them

    Vocabulary() {
        List<String> byteSymbols = byteSymbols();
        for (String symbol : byteSymbols) add(symbol);
        for (String symbol : byteSymbols) add(symbol + END_OF_WORD);
        List<String[]> pairs = readMerges();
        merged = new int[pairs.size()];
        for (int rank = 0; rank < pairs.size(); rank++) {
            String[] pair = pairs.get(rank);
            merges.put(pair(ids.get(pair[0]), ids.get(pair[1])), rank);
            merged[rank] = add(pair[0] + pair[1]);
        }
        add("<|startoftext|>");
        add("<|endoftext|>");
    }

    private int add(String symbol) {
        ids.put(symbol, symbols.size());
        symbols.add(symbol);
        return symbols.size() - 1;
    }

    /** Printable bytes stand for themselves and come first; the other 68 get characters from U+0100 on. */
    private List<String> byteSymbols() {
        List<String> order = new ArrayList<>();
        int other = 0x100;
        List<Integer> rest = new ArrayList<>();
        for (int b = 0; b < 256; b++)
            if (b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE) place(b, b, order);
            else rest.add(b);
        for (int b : rest) place(b, other++, order);
        return order;
    }

    private void place(int b, int character, List<String> order) {
        byteIds[b] = order.size();
        bytes[character] = b;
        order.add(String.valueOf((char) character));
    }

    private static List<String[]> readMerges() {
        try (InputStream in = Vocabulary.class.getResourceAsStream(RESOURCE)) {
            if (in == null) throw new IllegalStateException("the resource " + RESOURCE + " is missing");
            BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
            lines.readLine(); // the version
            List<String[]> pairs = new ArrayList<>();
            for (String line = lines.readLine(); line != null; line = lines.readLine())
                if (!line.isEmpty()) pairs.add(line.split(" "));
            return pairs;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long pair(int left, int right) {
        return (long) left << 32 | right;
    }

    int size() {
        return symbols.size();
    }

    String symbol(int id) {
        return symbols.get(id);
    }

    /** The symbol of a byte that does not end a word; {@code 256} more is the one that does. */
    int ofByte(int b) {
        return byteIds[b];
    }

    /** The byte that a character of a symbol stands for. */
    int toByte(char c) {
        return bytes[c];
    }

    /** The rank of the merge of two symbols, lower is earlier; -1 when they do not merge. */
    int rank(int left, int right) {
        return merges.getOrDefault(pair(left, right), -1);
    }

    /** The symbol that the merge of this rank makes. */
    int merged(int rank) {
        return merged[rank];
    }
}
