package dev.gyre.diffusion.adapter;

import dev.gyre.core.DType;
import dev.gyre.core.Executable;
import dev.gyre.core.Graph;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.checkpoint.DiffusersFolder;
import dev.gyre.diffusion.file.FileId;
import dev.gyre.diffusion.file.WeightFile;
import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.image.Resampling;
import dev.gyre.diffusion.network.ClipLayer;
import dev.gyre.jsafetensors.SafeTensors;
import dev.gyre.nn.Weights;
import dev.gyre.nn.conv.Conv2d;
import dev.gyre.nn.elementwise.Add;
import dev.gyre.nn.linear.Linear;
import dev.gyre.nn.norm.LayerNorm;
import dev.gyre.nn.shape.Concat;
import dev.gyre.nn.shape.Transpose;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The safety checker that was published with Stable Diffusion to flag pictures that are not safe for work: CLIP's vision transformer, whose
 * embedding of a picture is compared with those of seventeen concepts and three special ones. Like the original it errs both ways.
 */
public final class SafetyChecker implements AutoCloseable {
    /** Mean and deviation of CLIP's training pictures, by channel. */
    private static final float[] MEAN = {0.48145466f, 0.4578275f, 0.40821073f},
            DEVIATION = {0.26862954f, 0.26130258f, 0.27577711f};

    /** Channels of a head of every CLIP. */
    private static final int HEAD = 64;

    /** What is added to every concept's score where a special one was found. */
    private static final double CARE = 0.01;

    private final SafeTensors file;
    private final FileId origin;
    private final String name;
    private final String vision;
    private final JvmBackend backend = new JvmBackend();
    private final Executable network;
    private final int side;

    private SafetyChecker(SafeTensors file, Path path) throws IOException {
        this.file = file;
        origin = FileId.of(file.path());
        name = WeightFile.name(path);
        vision = file.has("vision_model.vision_model.pre_layrnorm.weight")
                ? "vision_model.vision_model"
                : "vision_model";
        String patches = vision + ".embeddings.patch_embedding.weight";
        if (!file.has(patches)
                || !file.has("concept_embeds")
                || file.info(patches).shape().size() != 4)
            throw new IllegalArgumentException(
                    name + ": not a safety checker: expected tensors \"concept_embeds\" and \"" + patches + "\", got "
                            + WeightFile.some(file));
        int width = dim(patches, 0), patch = dim(patches, 2);
        int positions = dim(vision + ".embeddings.position_embedding.weight", 0);
        side = patch * (int) Math.round(Math.sqrt(Math.max(0, positions - 1)));
        if (width < 1 || width % HEAD != 0 || patch < 1 || side < 1 || side > 1024)
            throw new IllegalArgumentException(name + ": not a safety checker: its patches are " + patch + " pixels, "
                    + width + " channels, " + positions + " places");
        Graph graph = new Graph("safety checker");
        Weights at = Weights.of(
                graph, key -> file.has(key) ? Optional.of(WeightFile.tensor(file, key, name)) : Optional.empty());
        try {
            graph.output(build(graph.input("picture", DType.F32, 1, 3, side, side), width, patch, at));
        } catch (IllegalArgumentException e) {
            throw WeightFile.named(name, e);
        }
        if (!at.problems().isEmpty())
            throw new IllegalArgumentException(name + ": " + at.problems().size()
                    + " tensors are missing or of another shape:\n  " + String.join("\n  ", at.problems()));
        network = backend.compile(graph);
    }

    /**
     * Opens {@code model.safetensors} of the folder {@code safety_checker}, or the folder.
     *
     * @throws IOException when it cannot be read
     * @throws IllegalArgumentException when it is none
     */
    public static SafetyChecker open(Path path) throws IOException {
        SafeTensors file = Files.isDirectory(path) ? DiffusersFolder.weights(path) : WeightFile.open(path);
        try {
            return new SafetyChecker(file, path);
        } catch (IOException | RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    /** The file; of a folder, the one with the weights. */
    public FileId origin() {
        return origin;
    }

    private int dim(String key, int i) {
        List<Long> shape = file.has(key) ? file.info(key).shape() : List.of();
        return i < shape.size() ? (int) Math.min(Integer.MAX_VALUE, shape.get(i)) : 0;
    }

    /**
     * Builds the network.
     *
     * @param picture [1, 3, side, side], normalised
     * @return every token's state projected to the space of the concepts, [1, tokens, projection]; the first is used
     */
    private Value build(Value picture, int width, int patch, Weights root) {
        Weights at = root.at(vision), embeddings = at.at("embeddings");
        int patches = (side / patch) * (side / patch), projection = dim("visual_projection.weight", 0);
        Value x = Conv2d.withoutBias(picture, width, patch, patch, embeddings.at("patch_embedding"));
        x = Transpose.of(x.reshape(1, width, patches)); // [1, patches, width]
        Value first = wide(embeddings.get("class_embedding", width)).reshape(1, 1, 1, width);
        x = Concat.of(first, x.reshape(1, patches, 1, width)).reshape(1, patches + 1, width);
        Value places = embeddings.get("position_embedding.weight", patches + 1, width);
        x = LayerNorm.of(
                Add.of(x, places.reshape(1, patches + 1, width)), at.at("pre_layrnorm")); // spelled so in the file
        int inner = Math.max(1, dim(vision + ".encoder.layers.0.mlp.fc1.weight", 0));
        for (int i = 0; i == 0 || file.has(vision + ".encoder.layers." + i + ".mlp.fc1.weight"); i++)
            x = ClipLayer.of(x, inner, width / HEAD, false, at.at("encoder.layers", i));
        return Linear.withoutBias(
                LayerNorm.of(x, at.at("post_layernorm")), Math.max(1, projection), root.at("visual_projection"));
    }

    /** A weight widened to float32. */
    private static Value wide(Value weight) {
        return weight.constant()
                .map(tensor -> weight.graph().constant(weight.name(), Tensor.of(tensor.floats(), weight.dim(0))))
                .orElse(weight);
    }

    /** Whether the model takes the picture for not safe for work. */
    public synchronized boolean flags(Image image) {
        float[] view = view(image);
        double[] special = beyond(view, "special_care_embeds"), concepts = beyond(view, "concept_embeds");
        // Once a special concept is found, the scores of all others are raised.
        double care = 0;
        for (double score : special) if (rounded(score + care) > 0) care = CARE;
        for (double score : concepts) if (rounded(score + care) > 0) return true;
        return false;
    }

    private static double rounded(double score) {
        return Math.rint(score * 1000) / 1000;
    }

    /** The cosine of each concept of a table, less its threshold. */
    public double[] beyond(float[] view, String table) {
        float[] all = file.floats(table), thresholds = file.floats(table + "_weights");
        double[] beyond = new double[thresholds.length];
        int width = view.length;
        if (all.length != beyond.length * width)
            throw new IllegalArgumentException(name + ": " + table + ": expected [" + beyond.length + ", " + width
                    + "], found " + file.info(table).shape());
        for (int i = 0; i < beyond.length; i++) {
            double dot = 0, a = 0, b = 0;
            for (int j = 0; j < width; j++) {
                float concept = all[i * width + j];
                dot += (double) view[j] * concept;
                a += (double) view[j] * view[j];
                b += (double) concept * concept;
            }
            beyond[i] = dot / Math.sqrt(a * b) - thresholds[i];
            if (!Double.isFinite(beyond[i]))
                throw new ArithmeticException("the safety checker " + name + " gave a number that is not finite; its "
                        + table + " or their weights hold one, at " + i);
        }
        return beyond;
    }

    /** CLIP's embedding of a picture, in the space of the concepts. */
    public float[] view(Image image) {
        float[] states =
                network.run(Tensor.of(pixels(image), 1, 3, side, side)).get(0).floats();
        for (float v : states)
            if (!Float.isFinite(v))
                throw new ArithmeticException("the safety checker " + name + " gave a number that is not finite");
        return Arrays.copyOf(states, dim("visual_projection.weight", 0));
    }

    /** The center crop at the network's size (bicubic), normalized, [3, side, side]. */
    public float[] pixels(Image image) {
        int shorter = Math.min(image.width(), image.height());
        int w = (int) ((long) side * image.width() / shorter), h = (int) ((long) side * image.height() / shorter);
        float[] planes = image.resize(w, h, Resampling.BICUBIC)
                .crop((w - side) / 2, (h - side) / 2, side, side)
                .planes();
        for (int i = 0; i < planes.length; i++) {
            int c = i / (side * side);
            planes[i] = (planes[i] / 2 + 0.5f - MEAN[c]) / DEVIATION[c];
        }
        return planes;
    }

    @Override
    public synchronized void close() {
        network.close();
        backend.close();
        file.close();
    }
}
