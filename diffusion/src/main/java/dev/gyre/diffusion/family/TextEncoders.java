package dev.gyre.diffusion.family;

import dev.gyre.core.Graph;
import dev.gyre.core.Tensor;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.nn.Weights;
import dev.gyre.tokenizer.PromptChunk;
import java.util.List;
import java.util.Map;

/** A model's text encoders: one, or several side by side. They run as one graph over chunks of 77 tokens. */
public interface TextEncoders {
    /** Tokens of a chunk. */
    int length();

    /** Channels of a token's state, which is what the UNet attends to. */
    int width();

    /** Layers, which is the largest CLIP skip. */
    int layers();

    /**
     * The graph of all encoders.
     *
     * @param chunks how many run at once
     * @param clipSkip the layer whose states are taken, counted from the last, 1
     * @param tokens in the vocabulary, those of learned words among them
     * @return its inputs are {@link #inputs}; its outputs the states, [chunks, length, width], and, of a UNet that takes a vector, what
     *     {@link #vector} makes it of, [chunks, n]
     */
    Graph graph(int chunks, int clipSkip, int tokens, Checkpoint.Source weights);

    /** What the graph of these chunks is given. */
    List<Tensor> inputs(List<PromptChunk> chunks);

    /**
     * What the UNet is conditioned on beside the states: nothing unless a family says otherwise.
     *
     * @param pooled the graph's second output for the prompt's first chunk, [n]; empty where it has none
     * @param height of the picture in pixels
     * @param width of the picture in pixels
     * @return as long as the UNet's vector
     */
    default float[] vector(float[] pooled, int height, int width) {
        return pooled;
    }

    /** The weights that the encoders ask for, to see what a file lacks. */
    List<Weights> ask(Checkpoint.Source file);

    /** Where the encoders' keys begin. */
    List<String> roots();

    /** The key of the table of token embeddings, to which learned words add rows. */
    String tokenTable();

    /** The paths of the encoders' layers, by the names that adapters have for them, as {@code lora_te_text_model_encoder_layers_0_mlp_fc1}. */
    Map<String, String> adapterNames(Checkpoint file);
}
