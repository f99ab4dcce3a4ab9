package dev.gyre.diffusion.checkpoint;

import dev.gyre.core.Graph;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.diffusion.file.FileId;
import dev.gyre.diffusion.file.WeightFile;
import dev.gyre.jsafetensors.SafeTensors;
import dev.gyre.jsafetensors.TensorInfo;
import dev.gyre.nn.LowRank;
import dev.gyre.nn.Weights;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * An open checkpoint. Keep it open while a model uses it. Whatever the layout of its files, tensors have the names of the original
 * layout.
 */
public final class Checkpoint implements AutoCloseable {
    /** The model that comes with Gyre; another is put in here. */
    private static final String EMBEDDED = "shapes.safetensors";

    /** Where the UNet's keys begin. */
    public static final String UNET = "model.diffusion_model";
    /** Where the VAE's keys begin. */
    public static final String VAE = "first_stage_model";
    /** Where the text encoder's keys begin. */
    public static final String TEXT = "cond_stage_model.transformer";

    /** In the metadata, what the UNet predicts, as the ModelSpec standard has it. */
    public static final String PREDICTION_TYPE = "modelspec.prediction_type";

    /** In the metadata, whether the model was trained to zero terminal SNR, as kohya's trainers have it. */
    public static final String ZERO_TERMINAL_SNR = "ss_zero_terminal_snr";

    /** In the metadata, how the model's scheduler spaces timesteps, as diffusers has it. */
    public static final String TIMESTEP_SPACING = "timestep_spacing";

    private static final String EMA = "model_ema.";

    /** Layers of the VAE that are 1×1 convolutions in the original and linear in diffusers. */
    private static final Pattern PIXELWISE = Pattern.compile(".*\\.mid\\.attn_1\\.(q|k|v|proj_out)\\.weight");

    /** A tensor's place: {@code info} has the original's name and shape, {@code key} is the file's own. */
    private record Stored(SafeTensors file, String key, TensorInfo info) {}

    private final String name;
    private final List<SafeTensors> files = new ArrayList<>();
    private final Map<String, Stored> stored = new LinkedHashMap<>();
    private final TreeSet<String> names = new TreeSet<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private SafeTensors embedded; // null where there are files
    private Optional<FileId> vae = Optional.empty();

    private Checkpoint(String name) {
        this.name = name;
    }

    /**
     * Opens a {@code .safetensors} file, the index of its shards, or a diffusers folder.
     *
     * @throws IOException when it cannot be read or violates the format; a pickled {@code .ckpt} is never read
     */
    public static Checkpoint open(Path path) throws IOException {
        Checkpoint opened = new Checkpoint(WeightFile.name(path));
        try {
            if (Files.isDirectory(path)) DiffusersFolder.read(path, opened);
            else {
                SafeTensors file = WeightFile.open(path);
                opened.metadata.putAll(file.metadata());
                opened.add(file, Optional::of);
            }
            return opened;
        } catch (IOException | RuntimeException | Error e) {
            opened.close();
            throw e;
        }
    }

    /** The small model that comes with Gyre: ten shapes in twelve colours, at 128×128. */
    public static Checkpoint embedded() {
        try (InputStream in = Checkpoint.class.getResourceAsStream(EMBEDDED)) {
            if (in == null) throw new IllegalStateException("the resource " + EMBEDDED + " is missing");
            Checkpoint opened = new Checkpoint(EMBEDDED.replace(".safetensors", ""));
            SafeTensors file = SafeTensors.read(in, EMBEDDED);
            opened.embedded = file;
            opened.metadata.putAll(file.metadata());
            opened.add(file, Optional::of);
            return opened;
        } catch (IOException e) {
            throw new IllegalStateException("the embedded model cannot be read", e);
        }
    }

    /** Adds a file's tensors under the names that {@code rename} gives them; those without a name are left out. */
    void add(SafeTensors file, Function<String, Optional<String>> rename) {
        files.add(file);
        for (String key : file.names())
            rename.apply(key).ifPresent(to -> {
                TensorInfo info = file.info(key);
                List<Long> shape = new ArrayList<>(info.shape());
                if (shape.size() == 2 && PIXELWISE.matcher(to).matches()) shape.addAll(List.of(1L, 1L));
                stored.put(
                        to, new Stored(file, key, new TensorInfo(to, info.dtype(), shape, info.begin(), info.end())));
                names.add(to);
            });
    }

    void metadata(String key, Optional<String> value) {
        value.ifPresent(text -> metadata.put(key, text));
    }

    /**
     * Takes the VAE from another file: in the original's layout, with or without the rest of a checkpoint, or in diffusers', as a file or a
     * folder. Call it before loading a model.
     *
     * @throws IOException when it cannot be read
     * @throws IllegalArgumentException when there is no VAE in it
     */
    public Checkpoint vae(Path path) throws IOException {
        Path part = Files.isDirectory(path.resolve("vae")) ? path.resolve("vae") : path;
        SafeTensors file = Files.isDirectory(part) ? DiffusersFolder.weights(part) : WeightFile.open(part);
        List<String> before =
                names.stream().filter(key -> key.startsWith(VAE + ".")).toList();
        before.forEach(stored::remove);
        before.forEach(names::remove);
        if (file.names().stream().anyMatch(key -> key.startsWith("encoder.down_blocks.")))
            DiffusersFolder.vae(file, this);
        else if (file.names().stream().anyMatch(key -> key.startsWith(VAE + ".")))
            add(file, key -> Optional.of(key).filter(k -> k.startsWith(VAE + ".")));
        else add(file, key -> Optional.of(VAE + "." + key));
        if (!hasAny(VAE + ".decoder."))
            throw new IllegalArgumentException(path + ": no VAE: expected tensors \"" + VAE + ".decoder.…\" or"
                    + " \"decoder.…\", got " + WeightFile.some(file));
        vae = Optional.of(FileId.of(file.path()));
        return this;
    }

    /** The file that the VAE was taken from, if that is another. */
    public Optional<FileId> vae() {
        return vae;
    }

    /** The file's name without its ending. */
    public String name() {
        return name;
    }

    /** Its name in errors that may concern its VAE. */
    public String described() {
        return vae.map(from -> name + " with the VAE " + from.name()).orElse(name);
    }

    /** Every tensor's key. */
    public List<String> names() {
        return List.copyOf(stored.keySet());
    }

    /** The type and shape of a tensor that {@link #names} lists, in its file. */
    public TensorInfo info(String key) {
        return stored.get(key).info;
    }

    /** A tensor's bytes in its file. */
    public MemorySegment bytes(String key) {
        Stored at = stored.get(key);
        return at.file.data(at.key);
    }

    /** The file's {@code __metadata__}, unmodifiable. */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    /** The size of all files in bytes. */
    public long size() {
        return files.stream().mapToLong(SafeTensors::size).sum();
    }

    /**
     * The SHA-256 of its file, in hex digits; of several files, that of their concatenated digests; of shards, that of their index. Reads
     * every byte.
     *
     * @throws IOException when a file cannot be read
     */
    public String sha256() throws IOException {
        StringBuilder all = new StringBuilder();
        for (SafeTensors file : files)
            if (file == embedded)
                try (InputStream in = Checkpoint.class.getResourceAsStream(EMBEDDED)) {
                    all.append(FileId.sha256(in));
                }
            else all.append(FileId.sha256(file.path(), 0));
        return files.size() == 1
                ? all.toString()
                : FileId.sha256(new ByteArrayInputStream(all.toString().getBytes(StandardCharsets.US_ASCII)));
    }

    /** Whether there is a tensor of this key. */
    public boolean has(String key) {
        return stored.containsKey(key);
    }

    /** The paths of layers that have a matrix or a kernel, in a part of the model. */
    public List<String> layers(String root) {
        return names.tailSet(root + ".").stream()
                .takeWhile(key -> key.startsWith(root + "."))
                .filter(key -> key.endsWith(".weight") && info(key).shape().size() > 1)
                .map(key -> key.substring(0, key.length() - ".weight".length()))
                .toList();
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

    /** Dimension {@code i} of a tensor, or {@code otherwise} where the file lacks it. */
    public int dim(String key, int i, int otherwise) {
        if (!stored.containsKey(key) || info(key).shape().size() <= i) return otherwise;
        long dim = info(key).shape().get(i);
        if (dim < 1 || dim > Integer.MAX_VALUE)
            throw new IllegalArgumentException(name + ": " + key + ": a dimension is 1 to 2^31-1, found "
                    + info(key).shape());
        return (int) dim;
    }

    /** The weights for graphs, with the UNet's averaged ones if {@code ema}. */
    public Source source(boolean ema) {
        return new Source(key -> find(ema && key.startsWith(UNET) ? emaKey(key) : key), Map.of());
    }

    /**
     * Where graphs find their weights.
     *
     * @param find a tensor by its key
     * @param additions low-rank products that adapters add to layers, by the layers' paths
     */
    public record Source(Function<String, Optional<Tensor>> find, Map<String, List<LowRank>> additions) {
        /**
         * A part's weights, for one graph.
         *
         * @param root where the part's keys begin
         */
        public Weights at(String root, Graph graph) {
            return Weights.of(graph, find, path -> additions.getOrDefault(path, List.of()))
                    .at(root);
        }

        /** With rows appended to a table of token embeddings. */
        public Source withRows(String table, float[] rows) {
            Tensor before = find.apply(table).orElseThrow();
            int width = before.shape().dim(1), count = rows.length / width;
            MemorySegment data = Arena.ofAuto()
                    .allocate(before.data().byteSize() + before.dtype().bytes(rows.length), 64);
            data.copyFrom(before.data());
            Tensor more = new Tensor(before.dtype(), Shape.of(before.shape().dim(0) + count, width), data);
            more.write(rows, 0, before.shape().elements(), rows.length, new short[4096]);
            return new Source(key -> key.equals(table) ? Optional.of(more) : find.apply(key), additions);
        }

        /** With these additions of adapters in place of its own. */
        public Source with(Map<String, List<LowRank>> additions) {
            return new Source(find, additions);
        }
    }

    private Optional<Tensor> find(String key) {
        return Optional.ofNullable(stored.get(key))
                .map(at -> WeightFile.tensor(
                        at.file,
                        at.key,
                        at.info.shape(),
                        at.file == embedded ? name : WeightFile.name(at.file.path())));
    }

    @Override
    public void close() {
        files.forEach(SafeTensors::close);
    }
}
