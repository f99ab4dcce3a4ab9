package dev.gyre.diffusion.adapter;

import dev.gyre.core.Tensor;
import dev.gyre.diffusion.file.FileId;
import dev.gyre.diffusion.file.WeightFile;
import dev.gyre.jsafetensors.SafeTensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A learned word (textual inversion, Gal et al. 2022): where prompts have its name, the text encoder gets its vectors in place of a token's
 * embedding.
 *
 * @param name its spelling in prompts
 * @param vectors [tokens, width], flat
 * @param width elements of a vector
 * @param origin the file, if it has one of its own
 */
public record TextualInversion(String name, float[] vectors, int width, Optional<FileId> origin) {
    /** An embedding inside another file, as AUTOMATIC1111 bundles them: {@code bundle_emb.NAME.string_to_param.*}. */
    private static final Pattern BUNDLED =
            Pattern.compile("bundle_emb\\.(?<name>.+)\\.(string_to_param\\..+|emb_params|clip_l)");

    /**
     * A word without a file.
     *
     * @param vectors [tokens, width], flat
     */
    public TextualInversion(String name, float[] vectors, int width) {
        this(name, vectors, width, Optional.empty());
    }

    private TextualInversion from(FileId origin) {
        return new TextualInversion(name, vectors, width, Optional.of(origin));
    }

    static boolean isBundled(String key) {
        return key.startsWith("bundle_emb.");
    }

    /** The number of tokens that it takes. */
    public int tokens() {
        return vectors.length / width;
    }

    /**
     * Reads a file's embeddings: one that is named after the file, diffusers' by their tokens, or those bundled with a LoRA or a
     * checkpoint.
     *
     * @throws IOException when it cannot be read
     * @throws IllegalArgumentException when there is no embedding in it, or one is not made of vectors
     */
    public static List<TextualInversion> open(Path path) throws IOException {
        List<TextualInversion> words = read(path);
        FileId origin = FileId.of(path);
        return words.stream().map(word -> word.from(origin)).toList();
    }

    private static List<TextualInversion> read(Path path) throws IOException {
        try (SafeTensors file = WeightFile.open(path)) {
            String origin = WeightFile.name(path);
            List<TextualInversion> found = bundled(file, origin);
            if (!found.isEmpty()) return found;
            Map<String, String> names = new LinkedHashMap<>();
            for (String key : file.names())
                if (key.equals("emb_params") || key.equals("clip_l") || key.equals("string_to_param.*"))
                    names.put(key, origin);
            // diffusers: each tensor is named after its token.
            boolean adapter = file.names().stream().anyMatch(key -> LoraKeys.place(key) != null);
            if (names.isEmpty() && !adapter)
                for (String key : file.names()) if (file.info(key).shape().size() <= 2) names.put(key, key);
            if (names.isEmpty()
                    || names.size() != file.names().size() && names.containsValue(origin) && names.size() > 1)
                throw new IllegalArgumentException(path + ": no textual inversion: expected a tensor \"emb_params\" or"
                        + " tensors named after their words, got " + WeightFile.some(file));
            List<TextualInversion> all = new ArrayList<>();
            names.forEach((key, name) -> all.add(read(file, key, name, origin)));
            return all;
        }
    }

    /** Those bundled in a file of something else. */
    static List<TextualInversion> bundled(SafeTensors file, String origin) {
        List<TextualInversion> all = new ArrayList<>();
        for (String key : file.names()) {
            Matcher matcher = BUNDLED.matcher(key);
            if (matcher.matches()) all.add(read(file, key, matcher.group("name"), origin));
        }
        return all;
    }

    private static TextualInversion read(SafeTensors file, String key, String name, String origin) {
        Tensor tensor = WeightFile.tensor(file, key, origin);
        int rank = tensor.shape().rank();
        if (rank < 1 || rank > 2 || tensor.shape().elements() == 0)
            throw new IllegalArgumentException(
                    origin + ": " + key + " is one vector or several, [tokens, width], got " + tensor.shape());
        float[] vectors = tensor.floats();
        for (float v : vectors)
            if (!Float.isFinite(v))
                throw new IllegalArgumentException(origin + ": " + key + " contains NaN or infinity");
        if (name.isBlank()) throw new IllegalArgumentException(origin + ": " + key + " has no name");
        return new TextualInversion(name, vectors, tensor.shape().dim(-1));
    }
}
