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

/** The UNet with all that a request puts beside it: ControlNets, a picture to fill in, what other steps have computed. */
public final class Denoiser {
    /**
     * A graph for one purpose.
     *
     * @param net a ControlNet's, or the UNet's where null
     * @param controlled whether it takes what ControlNets add
     * @param inner whether it is the UNet with its inner blocks; without, it takes their output
     * @param blocks outermost blocks that run in every step; 0 where all do
     */
    private record Key(
            ControlNet net,
            boolean controlled,
            boolean inner,
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
    private final Conditions network;
    private final int height;
    private final int width;
    private final List<float[]> hints = new ArrayList<>();

    /** For an inpainting UNet: the mask and the latents of what is not masked, [5, height, width]. */
    private float[] beside = new float[0];

    private final Progress progress;
    private final StepBatcher together; // null: drawn alone
    private final Tensor[] inner = new Tensor[2]; // what the inner blocks gave last, by the half where halves run apart
    private final int[] since = new int[2]; // runs that have taken it over
    private Boolean halves; // whether guidance runs its halves one after the other; null as long as nobody has asked

    /**
     * @param factor pixels to a latent, in each direction
     * @param together runs the UNet for several drawings at once; null where this one runs alone
     */
    Denoiser(
            UNet unet,
            int factor,
            ModelWeights weights,
            CompiledGraphs graphs,
            Conditions network,
            int height,
            int width,
            Progress progress,
            StepBatcher together) {
        this.unet = unet.wraps(network.tileable());
        this.factor = factor;
        this.weights = weights;
        this.graphs = graphs;
        this.together = together;
        this.progress = progress;
        this.network = network;
        this.height = height;
        this.width = width;
        for (Conditions.Control control : network.controls()) {
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

    /** Channels that an inpainting UNet sees beside the latents. */
    void beside(float[] channels) {
        beside = channels;
    }

    /** Another picture begins: nothing is taken over from the last. */
    void begin() {
        Arrays.fill(inner, null);
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
    public float[] guided(float[] x, Sampler.StepInfo at, Condition condition, double scale) {
        int n = x.length, pictures = pictures(x);
        float[] without, with;
        if (halves(2 * pictures, tokens(condition, 2 * pictures))) {
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

    /** How many pictures these latents are. */
    int pictures(float[] x) {
        return x.length / (unet.out() * height * width);
    }

    /** The bytes of working memory that a run of the whole UNet takes. */
    long plan(int batch, int tokens) {
        return graphs.plan(
                graph(new Key(null, !hints.isEmpty(), true, 0, batch, tokens, height, width, network.tileable())));
    }

    /** The whole UNet, with nothing beside it. */
    public Graph graph(int batch, int tokens) {
        return graph(new Key(null, false, true, 0, batch, tokens, height, width, network.tileable()));
    }

    private boolean halves(int batch, int tokens) {
        if (halves == null) {
            long needed = plan(batch, tokens), room = graphs.room();
            halves = needed > room;
            if (halves)
                progress.note("the two halves of guidance at once take " + (needed >> 20) + " MiB of memory and "
                        + (room >> 20) + " MiB are there: one after the other");
        }
        return halves;
    }

    private float[] predict(float[] x, Sampler.StepInfo at, Condition condition, int half) {
        float[] timesteps = new float[pictures(x)];
        Arrays.fill(timesteps, (float) at.timestep());
        boolean plain = network.controls().isEmpty() && network.reuse().isEmpty() && beside.length == 0;
        try {
            if (together != null && plain) return together.ask(this, x, timesteps, condition);
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

    /** What is alike in those that one run can answer. */
    Object kind() {
        return List.of(network, height, width);
    }

    /** The prediction for several drawings of this kind. */
    float[] predictTogether(float[] x, float[] timesteps, Condition condition) {
        weights.use(network.loras()); // another kind may have taken others meanwhile
        return predict(x, timesteps, condition, List.of(), 0);
    }

    /** Whether there is memory for a run for so many. */
    boolean fits(int batch, Condition condition) {
        return plan(batch, tokens(condition, batch)) <= graphs.room();
    }

    /**
     * The UNet's prediction.
     *
     * @param x [batch, 4, height, width]
     * @param controls what ControlNets add; empty where there are none
     * @param half which of two runs of a step this is
     */
    public float[] predict(float[] x, float[] timesteps, Condition condition, List<Tensor> controls, int half) {
        int batch = timesteps.length, tokens = tokens(condition, batch);
        int blocks = network.reuse().map(Conditions.Reuse::blocks).orElse(0);
        if (blocks >= unet.depth())
            throw new IllegalArgumentException("deepcache: this UNet has " + unet.depth() + " blocks, got " + blocks);
        boolean whole = blocks == 0
                || inner[half] == null
                || inner[half].shape().dim(0) != batch
                || since[half] + 1 >= network.reuse().get().every();
        Key key = new Key(null, !controls.isEmpty(), whole, blocks, batch, tokens, height, width, network.tileable());
        List<Tensor> inputs = inputs(Tensor.of(input(x, batch), batch, unet.in(), height, width), timesteps, condition);
        inputs.addAll(whole || controls.isEmpty() ? controls : controls.subList(0, blocks));
        if (!whole) inputs.add(inner[half]);
        List<Tensor> outputs = graphs.run(
                key, () -> graph(key), "the UNet at timestep " + timesteps[0], inputs.toArray(Tensor[]::new));
        since[half] = whole ? 0 : since[half] + 1;
        if (whole && blocks > 0) inner[half] = outputs.get(1);
        return outputs.get(0).floats();
    }

    private int tokens(Condition condition, int batch) {
        return condition.states().length / batch / unet.context();
    }

    /** What the UNet and a ControlNet both take. */
    private List<Tensor> inputs(Tensor x, float[] timesteps, Condition condition) {
        int batch = timesteps.length;
        List<Tensor> inputs = new ArrayList<>(List.of(
                x,
                Tensor.of(timesteps, batch),
                Tensor.of(condition.states(), batch, tokens(condition, batch), unet.context())));
        if (unet.vector() > 0) inputs.add(Tensor.of(condition.vectors(), batch, unet.vector()));
        return inputs;
    }

    /** Latents, and for an inpainting UNet what stands beside them, picture by picture. */
    private float[] input(float[] x, int batch) {
        int n = x.length / batch, all = unet.in() * height * width;
        if (all == n) return x;
        if (n + beside.length != all)
            throw new IllegalStateException(
                    "the UNet takes " + all + " numbers a picture, got " + n + " and " + beside.length);
        float[] both = new float[batch * all];
        for (int i = 0; i < batch; i++) {
            System.arraycopy(x, i * n, both, i * all, n);
            System.arraycopy(beside, 0, both, i * all + n, beside.length);
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
        Deque<Value> skips = unet.down(x, time, text, key.inner ? depth : key.blocks, Optional.empty(), at);
        Value deepest = skips.element();
        if (key.controlled) skips = controlled(skips, graph);
        Value h;
        if (key.inner) {
            h = unet.middle(deepest, time, text, at);
            if (key.controlled) h = Add.of(h, graph.input("control.middle", DType.F32, dims(h)));
            h = unet.up(h, skips, time, text, 0, depth - key.blocks, at);
        } else
            h = graph.input(
                    "inner", DType.F32, key.batch, unet.upWidth(depth - key.blocks), deepest.dim(2), deepest.dim(3));
        Value y = key.blocks == 0 ? h : unet.up(h, skips, time, text, depth - key.blocks, depth, at);
        graph.output(unet.out(y, at));
        if (key.inner && key.blocks > 0) graph.output(h);
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

    /** What all ControlNets that count at this moment add; empty where none does. */
    private List<Tensor> controls(float[] x, float[] timesteps, Condition condition, Sampler.StepInfo at) {
        List<Tensor> sums = new ArrayList<>();
        for (int i = 0; i < hints.size(); i++) {
            Conditions.Control control = network.controls().get(i);
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
        Key key = new Key(net, false, false, 0, batch, tokens, height, width, network.tileable());
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
