package dev.gyre.diffusion.pipeline;

import dev.gyre.core.Graph;
import dev.gyre.core.Tensor;
import dev.gyre.diffusion.adapter.TextualInversion;
import dev.gyre.diffusion.family.TextEncoders;
import dev.gyre.diffusion.file.FileId;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.request.Request;
import dev.gyre.tokenizer.ClipTokenizer;
import dev.gyre.tokenizer.Prompt;
import dev.gyre.tokenizer.PromptChunk;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** From a prompt to the states that the UNet attends to: the tokenizer with the words that the model was taught, then the text encoders. */
public final class PromptEncoder {
    private final TextEncoders encoders;
    private final ModelWeights weights;
    private final CompiledGraphs graphs;
    private final Map<String, Optional<FileId>> words = new LinkedHashMap<>();
    private ClipTokenizer tokenizer = ClipTokenizer.load();

    PromptEncoder(TextEncoders encoders, ModelWeights weights, CompiledGraphs graphs) {
        this.encoders = encoders;
        this.weights = weights;
        this.graphs = graphs;
    }

    /**
     * Adds a learned word.
     *
     * @throws IllegalArgumentException when it was trained for another text encoder, or is known already
     */
    public void add(TextualInversion word) {
        if (word.width() != encoders.width())
            throw new IllegalArgumentException(
                    "the word \"" + word.name() + "\" was trained for a text encoder of width " + word.width()
                            + "; that of " + weights.checkpoint().name() + " has " + encoders.width());
        tokenizer = tokenizer.with(word.name(), word.tokens());
        weights.addTokens(word.vectors());
        words.put(word.name(), word.origin());
    }

    /** The learned words, with their files where they have one. */
    Map<String, Optional<FileId>> words() {
        return Collections.unmodifiableMap(words);
    }

    /** A prompt's chunks of 77 tokens; a plain one is cut after the first, which the listener is told. */
    public List<PromptChunk> chunks(String text, boolean plain, Progress progress) {
        if (!plain) return tokenizer.chunks(text);
        Prompt prompt = tokenizer.tokenize(text);
        if (!prompt.cut().isEmpty())
            progress.note("the prompt is longer than " + (ClipTokenizer.LENGTH - 2) + " tokens; cut off: \""
                    + prompt.cut() + "\"");
        return List.of(new PromptChunk(prompt.ids()));
    }

    /** The text encoders over so many chunks. */
    public Graph graph(int chunks, int clipSkip) {
        return encoders.graph(chunks, clipSkip, tokenizer.size(), weights.source());
    }

    /**
     * The last hidden states of texts as they stand, cut at 75 tokens.
     *
     * @return [texts, tokens, width], flat
     */
    public float[] encode(List<String> texts, Progress progress) {
        List<PromptChunk> chunks = texts.stream()
                .flatMap(text -> chunks(text, true, progress).stream())
                .toList();
        return encode(chunks, 1).states();
    }

    /**
     * The hidden states of chunks, with the weights of their tokens.
     *
     * @param clipSkip the layer whose states are taken, counted from the last, 1
     * @return for each chunk the states, [tokens, width], and what the UNet's vector is made of
     */
    public Condition encode(List<PromptChunk> chunks, int clipSkip) {
        if (clipSkip < 1 || clipSkip > encoders.layers())
            throw new IllegalArgumentException("clip skip: 1 to " + encoders.layers() + ", got " + clipSkip);
        int size = encoders.length() * encoders.width();
        List<float[]> outputs = graphs.runOnce(
                graph(chunks.size(), clipSkip),
                "the text encoder",
                encoders.inputs(chunks).toArray(Tensor[]::new));
        float[] states = outputs.getFirst();
        for (int i = 0; i < chunks.size(); i++)
            weigh(states, i * size, chunks.get(i).weights(), encoders.width());
        CompiledGraphs.finite(states, "the weights in the prompt");
        return new Condition(states, outputs.size() > 1 ? outputs.get(1) : new float[0]);
    }

    /** What the UNet is conditioned on for a picture of this size: the states of a text's chunks, and the vector of its first. */
    Condition condition(Condition text, int chunks, Request.Size size) {
        float[] pooled = text.part(0, chunks).vectors();
        return new Condition(text.states(), encoders.vector(pooled, size.height(), size.width()));
    }

    /** Multiplies a chunk's rows by their weights, then restores the chunk's mean, as AUTOMATIC1111 does. */
    private static void weigh(float[] states, int at, float[] weights, int width) {
        boolean even = true;
        for (float weight : weights) even &= weight == 1;
        if (even) return;
        double before = 0, after = 0;
        for (int i = 0; i < weights.length * width; i++) {
            before += states[at + i];
            states[at + i] *= weights[i / width];
            after += states[at + i];
        }
        for (int i = 0; i < weights.length * width; i++) states[at + i] *= (float) (before / after);
    }
}
