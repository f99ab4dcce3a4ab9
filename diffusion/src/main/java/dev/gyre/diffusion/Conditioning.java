package dev.gyre.diffusion;

import dev.gyre.tokenizer.PromptChunk;
import dev.gyre.tokenizer.PromptEdits;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the UNet is told in each step: the text states of the prompt and of the negative prompt, which may change from step to step. All
 * have as many chunks of 77 tokens as the longest; chunks without text fill the others up.
 */
final class Conditioning {
    private static final PromptChunk EMPTY = PromptChunk.empty();

    private final Map<String, List<PromptChunk>> chunks = new LinkedHashMap<>();
    private final Map<String, float[]> states = new LinkedHashMap<>();
    private final PromptEdits prompt;
    private final PromptEdits negative;

    /**
     * Encodes every text that there will be.
     *
     * @param guided whether the negative prompt is wanted
     */
    Conditioning(StableDiffusion sd, Request.Text text, int steps, boolean guided, Progress progress) {
        prompt = edits(text.prompt(), text);
        negative = edits(text.negative(), text);
        for (int step = 1; step <= steps; step++) {
            read(sd, prompt.at(step, steps), text, progress);
            if (guided) read(sd, negative.at(step, steps), text, progress);
        }
        int longest = chunks.values().stream().mapToInt(List::size).max().orElseThrow();
        List<PromptChunk> all = new ArrayList<>();
        for (List<PromptChunk> some : chunks.values())
            for (int i = 0; i < longest; i++) all.add(i < some.size() ? some.get(i) : EMPTY);
        float[] encoded = sd.encode(all, text.clipSkip());
        int size = encoded.length / chunks.size(), at = 0;
        for (String one : chunks.keySet()) states.put(one, Arrays.copyOfRange(encoded, at, at += size));
    }

    /** The prompt's states, [tokens, width]. */
    float[] prompt(int step, int steps) {
        return states.get(prompt.at(step, steps));
    }

    /** The negative prompt's, then the prompt's, [2, tokens, width]. */
    float[] both(int step, int steps) {
        float[] without = states.get(negative.at(step, steps)), with = prompt(step, steps);
        float[] both = Arrays.copyOf(without, 2 * without.length);
        System.arraycopy(with, 0, both, without.length, with.length);
        return both;
    }

    private static PromptEdits edits(String prompt, Request.Text text) {
        return text.plain() ? PromptEdits.none(prompt) : PromptEdits.parse(prompt);
    }

    private void read(StableDiffusion sd, String text, Request.Text how, Progress progress) {
        if (!chunks.containsKey(text)) chunks.put(text, sd.chunks(text, how.plain(), progress));
    }
}
