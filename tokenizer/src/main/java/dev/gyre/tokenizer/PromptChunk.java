package dev.gyre.tokenizer;

import java.util.Arrays;

/**
 * A part of a prompt that the text encoder reads at once.
 *
 * @param ids 77: the start mark, at most 75 tokens, the end mark, and the end mark again up to 77
 * @param weights how much each of them counts, 1 as it is
 */
public record PromptChunk(int[] ids, float[] weights) {
    /** Every token counts as it is. */
    public PromptChunk(int[] ids) {
        this(ids, ones(ids.length));
    }

    /** No text. */
    public static PromptChunk empty() {
        return new Chunks().finish().get(0);
    }

    private static float[] ones(int count) {
        float[] ones = new float[count];
        Arrays.fill(ones, 1);
        return ones;
    }
}
