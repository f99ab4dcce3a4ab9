package dev.gyre.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Cuts a long prompt into chunks of 75 tokens; behind a comma rather, where there is one among the last 20. */
final class Chunks {
    private static final int TOKENS = ClipTokenizer.LENGTH - 2;
    private static final int BACKTRACK = 20;
    private static final int COMMA = 267;

    private final List<PromptChunk> chunks = new ArrayList<>();
    private final List<Integer> ids = new ArrayList<>();
    private final List<Double> weights = new ArrayList<>();
    private int comma = -1; // where the chunk's last one is

    void add(List<Integer> tokens, double weight) {
        for (int i = 0; i < tokens.size(); i++) {
            int token = tokens.get(i), whole = learned(tokens, i);
            if (whole > 1 && whole <= TOKENS && ids.size() + whole > TOKENS) end();
            if (token == COMMA) comma = ids.size();
            else if (ids.size() == TOKENS && comma >= 0 && TOKENS - comma <= BACKTRACK) cutAt(comma + 1);
            if (ids.size() == TOKENS) cutAt(TOKENS);
            ids.add(token);
            weights.add(weight);
        }
    }

    /** How many tokens of one learned word begin here: they stay in one chunk. */
    private static int learned(List<Integer> tokens, int from) {
        if (tokens.get(from) <= ClipTokenizer.END || from > 0 && tokens.get(from - 1) + 1 == tokens.get(from)) return 0;
        int to = from + 1;
        while (to < tokens.size() && tokens.get(to) == tokens.get(to - 1) + 1) to++;
        return to - from;
    }

    /** The chunk ends here, full or not. */
    void end() {
        cutAt(ids.size());
    }

    List<PromptChunk> finish() {
        if (!ids.isEmpty() || chunks.isEmpty()) end();
        return chunks;
    }

    private void cutAt(int size) {
        int[] chunk = new int[ClipTokenizer.LENGTH];
        float[] counts = new float[ClipTokenizer.LENGTH];
        Arrays.fill(chunk, ClipTokenizer.END);
        Arrays.fill(counts, 1);
        chunk[0] = ClipTokenizer.START;
        for (int i = 0; i < size; i++) {
            chunk[i + 1] = ids.get(i);
            counts[i + 1] = weights.get(i).floatValue();
        }
        chunks.add(new PromptChunk(chunk, counts));
        ids.subList(0, size).clear();
        weights.subList(0, size).clear();
        comma = -1;
    }
}
