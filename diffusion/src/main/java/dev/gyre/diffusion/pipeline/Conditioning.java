package dev.gyre.diffusion.pipeline;

import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.prompt.LoraTags;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Sampler;
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
    private final int tokens;
    private final PromptEdits negative;

    /**
     * Encodes every text that there will be.
     *
     * @param guided whether the negative prompt is wanted
     */
    Conditioning(PromptEncoder prompts, Request.Text text, int steps, boolean guided, Progress progress) {
        prompt = edits(text.plain() ? text.prompt() : LoraTags.of(text.prompt()).prompt(), text);
        negative = edits(text.negative(), text);
        for (int step = 1; step <= steps; step++) {
            read(prompts, prompt.at(step, steps), text, progress);
            if (guided) read(prompts, negative.at(step, steps), text, progress);
        }
        int longest = chunks.values().stream().mapToInt(List::size).max().orElseThrow();
        tokens = longest * EMPTY.ids().length;
        List<PromptChunk> all = new ArrayList<>();
        for (List<PromptChunk> some : chunks.values())
            for (int i = 0; i < longest; i++) all.add(i < some.size() ? some.get(i) : EMPTY);
        float[] encoded = prompts.encode(all, text.clipSkip());
        int size = encoded.length / chunks.size(), at = 0;
        for (String one : chunks.keySet()) states.put(one, Arrays.copyOfRange(encoded, at, at += size));
    }

    /** Tokens that the UNet sees at once. */
    int tokens() {
        return tokens;
    }

    /** The prompt's states for so many pictures, [pictures, tokens, width]. */
    float[] prompt(Sampler.StepInfo at, int pictures) {
        return repeated(prompt.at(at.step(), at.steps()), pictures, new float[0]);
    }

    /** The negative prompt's, then the prompt's, [2 · pictures, tokens, width]. */
    float[] both(Sampler.StepInfo at, int pictures) {
        return repeated(
                prompt.at(at.step(), at.steps()),
                pictures,
                repeated(negative.at(at.step(), at.steps()), pictures, new float[0]));
    }

    /** Behind what is there. */
    private float[] repeated(String text, int times, float[] before) {
        float[] once = states.get(text), all = Arrays.copyOf(before, before.length + times * once.length);
        for (int i = 0; i < times; i++) System.arraycopy(once, 0, all, before.length + i * once.length, once.length);
        return all;
    }

    private static PromptEdits edits(String prompt, Request.Text text) {
        return text.plain() ? PromptEdits.none(prompt) : PromptEdits.parse(prompt);
    }

    private void read(PromptEncoder prompts, String text, Request.Text how, Progress progress) {
        if (!chunks.containsKey(text)) chunks.put(text, prompts.chunks(text, how.plain(), progress));
    }
}
