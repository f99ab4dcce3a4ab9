package dev.gyre.diffusion.pipeline;

import dev.gyre.core.DType;
import dev.gyre.core.Graph;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.diffusion.adapter.ControlNet;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.network.UNet;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.request.Conditions;
import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.nn.Weights;
import dev.gyre.nn.elementwise.Add;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/** The UNet with what a request adds to it: ControlNets, the channels of inpainting, DeepCache. */
public final class Denoiser {
    /**
     * Identifies a compiled graph.
     *
     * @param net the ControlNet; null for the UNet
     * @param controlled whether it takes the residuals of ControlNets
     * @param whole whether it is the whole UNet; otherwise it takes the output of its inner blocks
     * @param blocks outermost blocks that run in every step; 0 where all do
     */
    private record Key(
            ControlNet net,
            boolean controlled,
            boolean whole,
            int blocks,
            int batch,
            int tokens,
            int height,
            int width,
            boolean wraps) {}

    private final UNet unet;
    private final int factor;
    private final ModelWeights weights;
    private final CompiledGraphs graphs;
    private final Conditions conditions;
    private final int height;
    private final int width;
    private final List<float[]> hints = new ArrayList<>();

    /** For an inpainting UNet: the mask and the latents of the masked image, [5, height, width]. */
    private float[] inpaintingChannels = new float[0];

    private final Progress progress;
    private final StepBatcher batcher; // null: runs alone
    private final Tensor[] cachedInner =
            new Tensor[2]; // the inner blocks' last output, for each half of guidance that runs by itself
    private final int[] stepsSinceFull = new int[2]; // runs that have reused it
    private Boolean sequential; // whether guidance runs its halves one after the other; null until it is known

    /**
     * @param factor pixels to a latent, in each direction
     * @param batcher runs the UNet for several requests at once; null where this one runs alone
     */
    Denoiser(
            UNet unet,
            int factor,
            ModelWeights weights,
            CompiledGraphs graphs,
            Conditions conditions,
            int height,
            int width,
            Progress progress,
            StepBatcher batcher) {
        this.unet = unet.wraps(conditions.tileable());
        this.factor = factor;
        this.weights = weights;
        this.graphs = graphs;
        this.batcher = batcher;
        this.progress = progress;
        this.conditions = conditions;
        this.height = height;
        this.width = width;
        for (Conditions.Control control : conditions.controls()) {
            control.net().check(this.unet);
            hints.add(hint(control));
        }
    }

    private float[] hint(Conditions.Control control) {
        int h = height * factor, w = width * factor;
        float[] picture = control.image().resize(w, h).planes();
        for (int i = 0; i < picture.length; i++) picture[i] = picture[i] / 2 + 0.5f;
        Graph graph = new Graph("control hint");
        Value input = graph.input("picture", DType.F32, 1, 3, h, w);
        graph.output(ControlNet.hint(input, unet, control.net().weights(graph)));
        return graphs.runOnce(graph, "the ControlNet " + control.net().name(), Tensor.of(picture, 1, 3, h, w))
                .getFirst();
    }

    /** Sets the channels that an inpainting UNet takes beside the latents. */
    void inpaintingChannels(float[] channels) {
        inpaintingChannels = channels;
    }

    /** Another picture begins: nothing is reused from the last. */
    void begin() {
        Arrays.fill(cachedInner, null);
    }

    /** The prediction with the prompt alone. */
    float[] unguided(float[] x, Sampler.StepInfo at, Condition condition) {
        return predict(x, at, condition, 0);
    }

    /**
     * Classifier-free guidance: the two halves, without and with the prompt, run as one batch; one after the other where memory is
     * short, which gives the same numbers.
     *
     * @param x [pictures, 4, height, width]
     * @param condition on the negative prompt for each picture, then on the prompt for each
     */
    float[] guided(float[] x, Sampler.StepInfo at, Condition condition, double scale) {
        int n = x.length, pictures = pictures(x);
        float[] without, with;
        if (sequential(2 * pictures, tokens(condition, 2 * pictures))) {
            without = predict(x, at, condition.part(0, 2), 0);
            with = predict(x, at, condition.part(1, 2), 1);
        } else {
            float[] both = Arrays.copyOf(x, 2 * n);
            System.arraycopy(x, 0, both, n, n);
            float[] predicted = predict(both, at, condition, 0);
            without = Arrays.copyOf(predicted, n);
            with = Arrays.copyOfRange(predicted, n, 2 * n);
        }
        float[] guided = new float[n];
        for (int i = 0; i < n; i++) guided[i] = (float) (without[i] + scale * ((double) with[i] - without[i]));
        if (!NonFiniteSearch.finite(guided))
            throw at(
                    at,
                    new ArithmeticException(
                            "guidance of " + scale + " is too much: it gave a number that is not finite"));
        return guided;
    }

    /** Likewise outside a run. */
    public float[] guided(float[] x, double timestep, Condition condition, double scale) {
        return guided(x, new Sampler.StepInfo(1, 1, timestep, 0), condition, scale);
    }

    /** How many pictures these latents are. */
    int pictures(float[] x) {
        return x.length / (unet.out() * height * width);
    }

    /** The bytes of working memory that a run of the whole UNet takes. */
    long plan(int batch, int tokens) {
        return graphs.plan(
                graph(new Key(null, !hints.isEmpty(), true, 0, batch, tokens, height, width, conditions.tileable())));
    }

    /** The whole UNet by itself. */
    public Graph graph(int batch, int tokens) {
        return graph(new Key(null, false, true, 0, batch, tokens, height, width, conditions.tileable()));
    }

    private boolean sequential(int batch, int tokens) {
        if (sequential == null) {
            long needed = plan(batch, tokens), room = graphs.availableMemory();
            sequential = needed > room;
            if (sequential)
                progress.note("the two halves of guidance at once take " + (needed >> 20) + " MiB of memory and "
                        + (room >> 20) + " MiB are there: one after the other");
        }
        return sequential;
    }

    private float[] predict(float[] x, Sampler.StepInfo at, Condition condition, int half) {
        float[] timesteps = new float[pictures(x)];
        Arrays.fill(timesteps, (float) at.timestep());
        boolean plain =
                conditions.controls().isEmpty() && conditions.reuse().isEmpty() && inpaintingChannels.length == 0;
        try {
            if (batcher != null && plain) return batcher.evaluate(this, x, timesteps, condition);
            return predict(x, timesteps, condition, controls(x, timesteps, condition, at), half);
        } catch (ArithmeticException e) {
            throw at(at, e);
        }
    }

    private static ArithmeticException at(Sampler.StepInfo at, ArithmeticException e) {
        ArithmeticException said =
                new ArithmeticException("step " + at.step() + " of " + at.steps() + ": " + e.getMessage());
        said.initCause(e);
        return said;
    }

    /** Equal for denoisers that one run can serve. */
    Object batchKey() {
        return List.of(conditions, height, width);
    }

    /** The prediction for several requests of the same key. */
    float[] predictBatch(float[] x, float[] timesteps, Condition condition) {
        weights.use(conditions.loras()); // another key may have applied others meanwhile
        return predict(x, timesteps, condition, List.of(), 0);
    }

    /** Whether there is memory to run so many. */
    boolean fits(int batch, Condition condition) {
        return plan(batch, tokens(condition, batch)) <= graphs.availableMemory();
    }

    /**
     * The UNet's prediction.
     *
     * @param x [batch, 4, height, width]
     * @param controls what ControlNets add; empty where there are none
     * @param half which of a step's two runs this is
     */
    public float[] predict(float[] x, float[] timesteps, Condition condition, List<Tensor> controls, int half) {
        int batch = timesteps.length, tokens = tokens(condition, batch);
        int blocks = conditions.reuse().map(Conditions.Reuse::blocks).orElse(0);
        if (blocks >= unet.depth())
            throw new IllegalArgumentException("deepcache: this UNet has " + unet.depth() + " blocks, got " + blocks);
        boolean whole = blocks == 0
                || cachedInner[half] == null
                || cachedInner[half].shape().dim(0) != batch
                || stepsSinceFull[half] + 1 >= conditions.reuse().get().every();
        Key key =
                new Key(null, !controls.isEmpty(), whole, blocks, batch, tokens, height, width, conditions.tileable());
        List<Tensor> inputs = inputs(Tensor.of(input(x, batch), batch, unet.in(), height, width), timesteps, condition);
        inputs.addAll(whole || controls.isEmpty() ? controls : controls.subList(0, blocks));
        if (!whole) inputs.add(cachedInner[half]);
        List<Tensor> outputs = graphs.run(
                key, () -> graph(key), "the UNet at timestep " + timesteps[0], inputs.toArray(Tensor[]::new));
        stepsSinceFull[half] = whole ? 0 : stepsSinceFull[half] + 1;
        if (whole && blocks > 0) cachedInner[half] = outputs.get(1);
        return outputs.get(0).floats();
    }

    private int tokens(Condition condition, int batch) {
        return condition.states().length / batch / unet.context();
    }

    /** The inputs that the UNet and a ControlNet share. */
    private List<Tensor> inputs(Tensor x, float[] timesteps, Condition condition) {
        int batch = timesteps.length;
        List<Tensor> inputs = new ArrayList<>(List.of(
                x,
                Tensor.of(timesteps, batch),
                Tensor.of(condition.states(), batch, tokens(condition, batch), unet.context())));
        if (unet.vector() > 0) inputs.add(Tensor.of(condition.vectors(), batch, unet.vector()));
        return inputs;
    }

    /** Latents, and the channels of inpainting, picture by picture. */
    private float[] input(float[] x, int batch) {
        int n = x.length / batch, all = unet.in() * height * width;
        if (all == n) return x;
        if (n + inpaintingChannels.length != all)
            throw new IllegalStateException(
                    "the UNet takes " + all + " values a picture, got " + n + " and " + inpaintingChannels.length);
        float[] both = new float[batch * all];
        for (int i = 0; i < batch; i++) {
            System.arraycopy(x, i * n, both, i * all, n);
            System.arraycopy(inpaintingChannels, 0, both, i * all + n, inpaintingChannels.length);
        }
        return both;
    }

    private Graph graph(Key key) {
        Graph graph = new Graph("unet");
        Value x = graph.input("x", DType.F32, key.batch, unet.in(), height, width);
        Value timestep = graph.input("timestep", DType.F32, key.batch);
        Value text = graph.input("text", DType.F32, key.batch, key.tokens, unet.context());
        Optional<Value> vector = unet.vectorInput(graph, key.batch);
        Weights at = weights.source().at(Checkpoint.UNET, graph);
        int depth = unet.depth();
        Value time = unet.time(timestep, vector, at);
        Deque<Value> skips = unet.down(x, time, text, key.whole ? depth : key.blocks, Optional.empty(), at);
        Value deepest = skips.element();
        if (key.controlled) skips = controlled(skips, graph);
        Value h;
        if (key.whole) {
            h = unet.middle(deepest, time, text, at);
            if (key.controlled) h = Add.of(h, graph.input("control.middle", DType.F32, dims(h)));
            h = unet.up(h, skips, time, text, 0, depth - key.blocks, at);
        } else
            h = graph.input(
                    "inner", DType.F32, key.batch, unet.upWidth(depth - key.blocks), deepest.dim(2), deepest.dim(3));
        Value y = key.blocks == 0 ? h : unet.up(h, skips, time, text, depth - key.blocks, depth, at);
        graph.output(unet.out(y, at));
        if (key.whole && key.blocks > 0) graph.output(h);
        return graph;
    }

    private static Deque<Value> controlled(Deque<Value> skips, Graph graph) {
        Deque<Value> more = new ArrayDeque<>();
        for (Iterator<Value> each = skips.descendingIterator(); each.hasNext(); ) {
            Value skip = each.next();
            more.push(Add.of(skip, graph.input("control." + more.size(), DType.F32, dims(skip))));
        }
        return more;
    }

    private static int[] dims(Value value) {
        return value.shape().dims().stream().mapToInt(Integer::intValue).toArray();
    }

    /** The residuals of all ControlNets that are active in this step; empty where none is. */
    private List<Tensor> controls(float[] x, float[] timesteps, Condition condition, Sampler.StepInfo at) {
        List<Tensor> sums = new ArrayList<>();
        for (int i = 0; i < hints.size(); i++) {
            Conditions.Control control = conditions.controls().get(i);
            if (control.weight() == 0 || !control.part().has(at)) continue;
            add(run(control.net(), hints.get(i), x, timesteps, condition), (float) control.weight(), sums);
        }
        return sums;
    }

    private static void add(List<Tensor> residuals, float weight, List<Tensor> sums) {
        for (int i = 0; i < residuals.size(); i++) {
            float[] more = residuals.get(i).floats();
            int[] dims =
                    residuals.get(i).shape().dims().stream().mapToInt(d -> d).toArray();
            if (sums.size() <= i) sums.add(Tensor.of(new float[more.length], dims));
            float[] sum = sums.get(i).floats();
            for (int j = 0; j < sum.length; j++) sum[j] += weight * more[j];
            sums.set(i, Tensor.of(sum, dims));
        }
    }

    private List<Tensor> run(ControlNet net, float[] hint, float[] x, float[] timesteps, Condition condition) {
        int batch = timesteps.length, tokens = tokens(condition, batch), channels = unet.width();
        Key key = new Key(net, false, false, 0, batch, tokens, height, width, conditions.tileable());
        float[] hints = new float[batch * hint.length];
        for (int i = 0; i < batch; i++) System.arraycopy(hint, 0, hints, i * hint.length, hint.length);
        List<Tensor> inputs = inputs(Tensor.of(x, batch, unet.out(), height, width), timesteps, condition);
        inputs.add(Tensor.of(hints, batch, channels, height, width));
        return graphs.run(
                key,
                () -> {
                    Graph graph = new Graph("control net");
                    Value latents = graph.input("x", DType.F32, batch, unet.out(), height, width);
                    Value timestep = graph.input("timestep", DType.F32, batch);
                    Value text = graph.input("text", DType.F32, batch, tokens, unet.context());
                    Optional<Value> vector = unet.vectorInput(graph, batch);
                    Value seen = graph.input("hint", DType.F32, batch, channels, height, width);
                    ControlNet.residuals(latents, timestep, text, vector, seen, unet, net.weights(graph))
                            .forEach(graph::output);
                    return graph;
                },
                "the ControlNet " + net.name() + " at timestep " + timesteps[0],
                inputs.toArray(Tensor[]::new));
    }
}
