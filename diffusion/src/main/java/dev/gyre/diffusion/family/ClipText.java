package dev.gyre.diffusion.family;

import dev.gyre.core.DType;
import dev.gyre.core.Graph;
import dev.gyre.core.Tensor;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.network.TextEncoder;
import dev.gyre.nn.Weights;
import dev.gyre.tokenizer.PromptChunk;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * CLIP's text encoder alone, in transformers' names.
 *
 * @param root where its keys begin
 */
record ClipText(TextEncoder encoder, String root) implements TextEncoders {
    @Override
    public int length() {
        return encoder.length();
    }

    @Override
    public int width() {
        return encoder.width();
    }

    @Override
    public int layers() {
        return encoder.layers();
    }

    @Override
    public Graph graph(int chunks, int clipSkip, int tokens, Checkpoint.Source weights) {
        Graph graph = new Graph("text encoder");
        graph.output(build(chunks, clipSkip, encoder.vocabulary(tokens), weights.at(root, graph)));
        return graph;
    }

    private static dev.gyre.core.Value build(int chunks, int clipSkip, TextEncoder encoder, Weights at) {
        return encoder.build(at.graph().input("ids", DType.I32, chunks, encoder.length()), clipSkip, at);
    }

    @Override
    public List<Tensor> inputs(List<PromptChunk> chunks) {
        int[] ids = new int[chunks.size() * length()];
        for (int i = 0; i < chunks.size(); i++) System.arraycopy(chunks.get(i).ids(), 0, ids, i * length(), length());
        return List.of(Tensor.of(ids, chunks.size(), length()));
    }

    @Override
    public List<Weights> ask(Checkpoint.Source file) {
        Weights at = file.at(root, new Graph());
        build(1, 1, encoder, at);
        return List.of(at);
    }

    @Override
    public List<String> roots() {
        return List.of(root);
    }

    @Override
    public String tokenTable() {
        return root + ".embeddings.token_embedding.weight";
    }

    @Override
    public Map<String, String> adapterNames(Checkpoint file) {
        Map<String, String> names = new HashMap<>();
        for (String path : file.layers(root))
            names.put("lora_te_text_model_" + path.substring(root.length() + 1).replace('.', '_'), path);
        return names;
    }
}
