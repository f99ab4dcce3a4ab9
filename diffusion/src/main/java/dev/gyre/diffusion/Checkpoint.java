package dev.gyre.diffusion;

import dev.gyre.core.DType;
import dev.gyre.core.Graph;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.jsafetensors.SafeTensors;
import dev.gyre.jsafetensors.TensorInfo;
import dev.gyre.nn.Weights;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;

/** A checkpoint in the layout of the original Stable Diffusion, open for as long as a model uses it. */
public final class Checkpoint implements AutoCloseable {
    /** The model that comes with Gyre: change it here to put in another. */
    private static final String EMBEDDED = "shapes.safetensors";

    static final String UNET = "model.diffusion_model";
    static final String VAE = "first_stage_model";
    static final String TEXT = "cond_stage_model.transformer";
    private static final String EMA = "model_ema.";

    private final SafeTensors file;
    private final String name;
    private final TreeSet<String> names;

    private Checkpoint(SafeTensors file, String name) {
        this.file = file;
        this.name = name;
        this.names = new TreeSet<>(file.names());
    }

    /**
     * Opens a {@code .safetensors} file or the index of its shards.
     *
     * @throws IOException when it cannot be read or is not what the format says; a pickled {@code .ckpt} never is
     */
    public static Checkpoint open(Path path) throws IOException {
        String fileName = path.getFileName().toString();
        if (fileName.endsWith(".ckpt") || fileName.endsWith(".pt"))
            throw new IOException(path + ": a pickle can run code of its own and is not read; get the model as"
                    + " .safetensors, or convert it with safetensors.torch.save_file");
        return new Checkpoint(SafeTensors.open(path), fileName.replaceFirst("\\.safetensors(\\.index\\.json)?$", ""));
    }

    /** The small model that comes with Gyre: ten shapes in twelve colours, at 128×128. */
    public static Checkpoint embedded() {
        try (InputStream in = Checkpoint.class.getResourceAsStream(EMBEDDED)) {
            if (in == null) throw new IllegalStateException("the resource " + EMBEDDED + " is missing");
            return new Checkpoint(SafeTensors.read(in, EMBEDDED), EMBEDDED.replace(".safetensors", ""));
        } catch (IOException e) {
            throw new IllegalStateException("the embedded model cannot be read", e);
        }
    }

    /** The file's name without its ending. */
    public String name() {
        return name;
    }

    /** Every tensor's key. */
    public List<String> names() {
        return file.names();
    }

    public TensorInfo info(String key) {
        return file.info(key);
    }

    public Map<String, String> metadata() {
        return file.metadata();
    }

    /** The bytes of the file, or of all shards. */
    public long size() {
        return file.size();
    }

    /** Whether any key begins so. */
    public boolean hasAny(String prefix) {
        String first = names.ceiling(prefix);
        return first != null && first.startsWith(prefix);
    }

    /** Whether the file holds averaged weights of the UNet beside the last ones. */
    public boolean hasEma() {
        return hasAny(EMA + "diffusion_model");
    }

    /** The key of the averaged weight of a UNet's weight. */
    public static String emaKey(String unetKey) {
        return EMA + unetKey.substring("model.".length()).replace(".", "");
    }

    /** Dimension {@code i} of a tensor, or what to take where the file lacks it. */
    int dim(String key, int i, int otherwise) {
        if (!file.has(key) || file.info(key).shape().size() <= i) return otherwise;
        return Math.toIntExact(file.info(key).shape().get(i));
    }

    /** The weights of a model's parts, for graphs; the UNet's averaged ones where {@code ema}. */
    Source source(boolean ema) {
        return new Source(textPrefix(), key -> find(ema && key.startsWith(UNET) ? emaKey(key) : key));
    }

    /**
     * Where a model's parts find their weights.
     *
     * @param textPrefix where the text encoder's keys begin
     * @param find a tensor by its key
     */
    record Source(String textPrefix, Function<String, Optional<Tensor>> find) {
        Weights unet(Graph graph) {
            return Weights.of(graph, find).at(UNET);
        }

        Weights vae(Graph graph) {
            return Weights.of(graph, find).at(VAE);
        }

        Weights text(Graph graph) {
            return Weights.of(graph, find).at(textPrefix);
        }
    }

    /**
     * What keeps a model from being loaded: each tensor that is missing or of another shape, a line each; empty when all is there.
     *
     * @throws IllegalArgumentException when the file is no Stable Diffusion v1 at all
     */
    public List<String> problems(boolean ema) {
        return Architecture.of(this).ask(source(ema)).stream()
                .flatMap(weights -> weights.problems().stream())
                .toList();
    }

    /** The text encoder's keys begin so; newer exports leave {@code text_model.} out. */
    String textPrefix() {
        return hasAny(TEXT + ".embeddings.") || hasAny(TEXT + ".encoder.") ? TEXT : TEXT + ".text_model";
    }

    private Optional<Tensor> find(String key) {
        if (!file.has(key)) return Optional.empty();
        TensorInfo info = file.info(key);
        DType dtype =
                switch (info.dtype()) {
                    case F32 -> DType.F32;
                    case F16 -> DType.F16;
                    case BF16 -> DType.BF16;
                    default ->
                        throw new IllegalArgumentException(
                                name + ": " + key + " is of type " + info.dtype() + ", expected F32, F16 or BF16");
                };
        int[] dims = info.shape().stream().mapToInt(Math::toIntExact).toArray();
        return Optional.of(new Tensor(dtype, Shape.of(dims), file.data(key)));
    }

    @Override
    public void close() {
        file.close();
    }
}
