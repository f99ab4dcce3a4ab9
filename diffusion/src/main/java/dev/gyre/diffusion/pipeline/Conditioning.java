package dev.gyre.diffusion.pipeline;

import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.prompt.LoraTags;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.tokenizer.PromptChunk;
import dev.gyre.tokenizer.PromptEdits;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The text states of the prompt and of the negative prompt, which may change from step to step. All have as many chunks of 77 tokens as
 * the longest; the others are padded with empty chunks.
 */
final class Conditioning {
    private static final PromptChunk EMPTY = PromptChunk.empty();

    private final Map<String, List<PromptChunk>> chunks = new LinkedHashMap<>();
    private final Map<String, Condition> states = new LinkedHashMap<>();
    private final PromptEdits prompt;
    private final int tokens;
    private final PromptEdits negative;

    /**
     * Encodes the texts of all steps.
     *
     * @param size of the picture
     * @param guided whether the negative prompt is needed
     */
    Conditioning(
            PromptEncoder prompts, Request.Text text, Request.Size size, int steps, boolean guided, Progress progress) {
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
        Condition encoded = prompts.encode(all, text.clipSkip());
        int i = 0;
        for (String one : chunks.keySet())
            states.put(one, prompts.condition(encoded.part(i++, chunks.size()), longest, size));
    }

    /** Tokens of the conditioning. */
    int tokens() {
        return tokens;
    }

    /** The prompt, for so many pictures. */
    Condition prompt(Sampler.StepInfo at, int pictures) {
        return states.get(prompt.at(at.step(), at.steps())).repeated(pictures);
    }

    /** The negative prompt for so many pictures, then the prompt. */
    Condition both(Sampler.StepInfo at, int pictures) {
        Condition without = states.get(negative.at(at.step(), at.steps()));
        return Condition.of(List.of(without.repeated(pictures), prompt(at, pictures)));
    }

    private static PromptEdits edits(String prompt, Request.Text text) {
        return text.plain() ? PromptEdits.none(prompt) : PromptEdits.parse(prompt);
    }

    private void read(PromptEncoder prompts, String text, Request.Text how, Progress progress) {
        if (!chunks.containsKey(text)) chunks.put(text, prompts.chunks(text, how.plain(), progress));
    }
}
