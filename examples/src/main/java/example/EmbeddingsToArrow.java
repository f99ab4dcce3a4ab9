package example;

import dev.gyre.arrow.ArrowFiles;
import dev.gyre.arrow.FixedShapeTensorVector;
import dev.gyre.core.Tensor;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.output.Progress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;

/**
 * What the text encoder makes of prompts, as an Arrow file: a column of prompts, a column of tensors [tokens, width]. Arrow needs
 * {@code --add-opens java.base/java.nio=ALL-UNNAMED}.
 */
public final class EmbeddingsToArrow {
    private EmbeddingsToArrow() {}

    public static void main(String[] args) throws IOException {
        List<String> prompts = List.of("a red circle on a blue background", "a yellow star", "a large green heart");
        try (StableDiffusion sd = StableDiffusion.embedded();
                BufferAllocator allocator = new RootAllocator();
                VarCharVector texts = new VarCharVector("prompt", allocator);
                FixedShapeTensorVector states =
                        FixedShapeTensorVector.of("embedding", embeddings(sd, prompts), allocator)) {
            texts.allocateNew();
            for (int i = 0; i < prompts.size(); i++)
                texts.setSafe(i, prompts.get(i).getBytes(StandardCharsets.UTF_8));
            texts.setValueCount(prompts.size());
            ArrowFiles.write(Path.of(args[0], "embeddings.arrow"), VectorSchemaRoot.of(texts, states));
        }
    }

    private static List<Tensor> embeddings(StableDiffusion sd, List<String> prompts) {
        float[] all = sd.encodeText(prompts, Progress.NONE); // [prompts, tokens, width]
        int tokens = 77, size = all.length / prompts.size();
        return IntStream.range(0, prompts.size())
                .mapToObj(i -> Tensor.of(Arrays.copyOfRange(all, i * size, (i + 1) * size), tokens, size / tokens))
                .toList();
    }
}
