package dev.gyre.diffusion.adapter;

import static dev.gyre.diffusion.network.Layers.silu;

import dev.gyre.core.DType;
import dev.gyre.core.Graph;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.diffusion.checkpoint.DiffusersFolder;
import dev.gyre.diffusion.checkpoint.DiffusersKeys;
import dev.gyre.diffusion.file.FileId;
import dev.gyre.diffusion.file.WeightFile;
import dev.gyre.diffusion.network.Layers;
import dev.gyre.diffusion.network.UNet;
import dev.gyre.jsafetensors.SafeTensors;
import dev.gyre.jsafetensors.TensorInfo;
import dev.gyre.nn.Weights;
import dev.gyre.nn.conv.Conv2d;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * A ControlNet 1.x (Zhang, Rao and Agrawala 2023): a copy of the UNet's encoder that also takes a control image, and gives a residual for
 * each of the UNet's skip connections. Keep it open while a model uses it.
 */
public final class ControlNet implements AutoCloseable {
    /** The original's names begin so. */
    private static final String ROOT = "control_model";

    /** Channels and strides of the layers that bring the control image to the latents' size; another goes to the UNet's width. */
    private static final int[][] HINT = {{16, 1}, {16, 1}, {32, 2}, {32, 1}, {96, 2}, {96, 1}, {256, 2}};

    private final String name;
    private final FileId origin;
    private final SafeTensors file;
    private final Map<String, String> keys = new LinkedHashMap<>(); // the original's to the file's

    private ControlNet(Path path, SafeTensors file) throws IOException {
        name = WeightFile.name(path);
        origin = FileId.of(file.path());
        this.file = file;
        TreeSet<String> names = new TreeSet<>(file.names());
        if (names.contains("difference"))
            throw new IllegalArgumentException(
                    name + ": this ControlNet holds differences from a base model; get the full one");
        boolean diffusers = names.contains("controlnet_mid_block.weight");
        DiffusersKeys rename = diffusers ? DiffusersFolder.unetNames(names) : null;
        boolean rooted = names.stream().anyMatch(key -> key.startsWith(ROOT + "."));
        for (String key : file.names()) {
            if (diffusers) rename.original(key).ifPresent(to -> keys.put(to, key));
            else if (!rooted) keys.put(key, key);
            else if (key.startsWith(ROOT + ".")) keys.put(key.substring(ROOT.length() + 1), key);
        }
        if (!keys.containsKey("middle_block_out.0.weight") || !keys.containsKey("input_hint_block.0.weight"))
            throw new IllegalArgumentException(
                    name + ": not a ControlNet: expected tensors \"" + ROOT + ".input_hint_block.…\"" + " and \"" + ROOT
                            + ".middle_block_out.…\", got " + WeightFile.some(file));
    }

    /**
     * Opens a ControlNet in the original's layout or in diffusers', as a file or a folder.
     *
     * @throws IOException when it cannot be read
     * @throws IllegalArgumentException when it is none
     */
    public static ControlNet open(Path path) throws IOException {
        SafeTensors file = Files.isDirectory(path) ? DiffusersFolder.weights(path) : WeightFile.open(path);
        try {
            return new ControlNet(path, file);
        } catch (IOException | RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    /** The file's name without its ending. */
    public String name() {
        return name;
    }

    /** The file; of a folder, the one with the weights. */
    public FileId origin() {
        return origin;
    }

    /** The owner of its memory. */
    public MemorySegment.Scope scope() {
        return file.data(file.names().get(0)).scope();
    }

    /** @throws IllegalArgumentException naming all tensors that do not fit the model's UNet */
    public void check(UNet unet) {
        List<String> problems = asked(new Graph(), unet);
        if (!problems.isEmpty())
            throw new IllegalArgumentException(name + ": a ControlNet for another model: " + problems.size()
                    + " tensors are missing or of another shape:\n  " + String.join("\n  ", problems));
    }

    private List<String> asked(Graph graph, UNet unet) {
        Weights at = weights(graph);
        build(graph, unet, at);
        return at.problems();
    }

    /** Builds the whole network at a small size, to see what weights it asks for. */
    public static void build(Graph graph, UNet unet, Weights at) {
        Value hint = hint(graph.input("picture", DType.F32, 1, 3, 64, 64), unet, at);
        Value x = graph.input("x", DType.F32, 1, unet.out(), 8, 8);
        Value text = graph.input("text", DType.F32, 1, 1, unet.context());
        Value timestep = graph.input("timestep", DType.F32, 1);
        residuals(x, timestep, text, unet.vectorInput(graph, 1), hint, unet, at);
    }

    /** The weights of this ControlNet, for one graph. */
    public Weights weights(Graph graph) {
        return Weights.of(graph, key -> Optional.ofNullable(keys.get(key)).map(this::tensor));
    }

    private Tensor tensor(String key) {
        TensorInfo info = file.info(key);
        return WeightFile.tensor(file, key, info.shape(), name);
    }

    /**
     * The embedding of the control image; the same in every step.
     *
     * @param picture [1, 3, 8 · height, 8 · width], 0 to 1
     * @return [1, width of the UNet, height, width]
     */
    public static Value hint(Value picture, UNet unet, Weights at) {
        Value h = picture;
        for (int i = 0; i < HINT.length; i++)
            h = silu(Layers.conv(h, HINT[i][0], HINT[i][1], unet.wraps(), at.at("input_hint_block", 2 * i)));
        return Layers.conv(h, unet.width(), 1, unet.wraps(), at.at("input_hint_block", 2 * HINT.length));
    }

    /**
     * Builds the network.
     *
     * @param x latents, [batch, 4, height, width]
     * @param hint [batch, width of the UNet, height, width]
     * @return the residuals for the UNet's skip connections, the first block's first, then for its middle block
     */
    public static List<Value> residuals(
            Value x, Value timestep, Value text, Optional<Value> vector, Value hint, UNet unet, Weights at) {
        UNet own = unet.in(unet.out());
        Value time = own.time(timestep, vector, at);
        Deque<Value> skips = own.down(x, time, text, own.depth(), Optional.of(hint), at);
        List<Value> residuals = new ArrayList<>();
        int i = 0;
        for (Iterator<Value> each = skips.descendingIterator(); each.hasNext(); i++)
            residuals.add(zero(each.next(), at.at("zero_convs", i).at("0")));
        residuals.add(zero(own.middle(skips.element(), time, text, at), at.at("middle_block_out.0")));
        return residuals;
    }

    /** A 1×1 convolution whose weights were zero before training. */
    private static Value zero(Value x, Weights at) {
        return Conv2d.of(x, x.dim(1), 1, at);
    }

    @Override
    public void close() {
        file.close();
    }
}
