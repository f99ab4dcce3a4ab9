package dev.gyre.bench;

import dev.gyre.core.Backend;
import dev.gyre.core.DType;
import dev.gyre.core.Executable;
import dev.gyre.core.Graph;
import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Q8;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.nn.Weights;
import dev.gyre.nn.attention.Attention;
import dev.gyre.nn.conv.Conv2d;
import dev.gyre.nn.linear.Linear;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** A compiled graph of one op with random inputs; the ops of a model have F16 weights, as checkpoints have them. */
final class OneOp implements AutoCloseable {
    private final Backend backend;
    private final Executable executable;
    private final Tensor[] inputs;
    private final AtomicLong nanos; // null where nobody counts them

    /** For a benchmark that times {@link #run}. */
    OneOp(OpShape shape, Backend backend) {
        this(graph -> layer(shape, graph, UnaryOperator.identity()), backend);
    }

    /** One that times itself. */
    OneOp(OpShape shape, JvmBackend.Options options) {
        this(graph -> layer(shape, graph, UnaryOperator.identity()), options, new AtomicLong());
    }

    /** With its matrix or kernel in eight bits. */
    static OneOp inEightBits(OpShape shape, Backend backend) {
        Arena arena = Arena.ofAuto();
        return new OneOp(
                graph -> layer(shape, graph, weight -> Q8.fits(weight.shape()) ? Q8.of(weight, arena) : weight),
                backend);
    }

    private OneOp(Function<Graph, Value> layer, JvmBackend.Options options, AtomicLong nanos) {
        this(
                layer,
                new JvmBackend(options.profiler((op, start, time) -> {
                    if (!(op instanceof First)) nanos.addAndGet(time);
                })),
                nanos);
    }

    /** @param layer adds to a graph its inputs and what is measured */
    OneOp(Function<Graph, Value> layer, Backend backend) {
        this(layer, backend, null);
    }

    private OneOp(Function<Graph, Value> layer, Backend backend, AtomicLong nanos) {
        this.backend = backend;
        this.nanos = nanos;
        Graph graph = new Graph();
        Value y = layer.apply(graph);
        graph.output(graph.add(new First(y, y.like(1))));
        executable = backend.compile(graph);
        inputs = inputs(graph);
    }

    /** Random numbers for everything that a graph is given; zeros where it takes whole ones. */
    static Tensor[] inputs(Graph graph) {
        Random random = new Random(1);
        return graph.inputs().stream()
                .map(input -> {
                    int[] dims = input.shape().dims().stream()
                            .mapToInt(Integer::intValue)
                            .toArray();
                    if (input.dtype() == DType.I32)
                        return Tensor.of(new int[input.shape().elements()], dims);
                    float[] numbers = new float[input.shape().elements()];
                    for (int i = 0; i < numbers.length; i++) numbers[i] = (float) random.nextGaussian();
                    return Tensor.of(numbers, dims);
                })
                .toArray(Tensor[]::new);
    }

    private static Value layer(OpShape shape, Graph graph, UnaryOperator<Tensor> store) {
        Random random = new Random(1);
        Map<String, Shape> weights = weights(shape);
        Weights at =
                Weights.of(graph, key -> Optional.ofNullable(weights.get(key)).map(s -> {
                    Tensor weight = half(random, s);
                    return key.equals("weight") ? store.apply(weight) : weight;
                }));
        List<Value> values = new ArrayList<>();
        for (Shape input : inputs(shape))
            values.add(graph.input(
                    "x" + values.size(),
                    DType.F32,
                    input.dims().stream().mapToInt(Integer::intValue).toArray()));
        Value y = layer(shape, values, at);
        at.check();
        return y;
    }

    private static Map<String, Shape> weights(OpShape s) {
        return switch (s.kind()) {
            case "linear" -> Map.of("weight", Shape.of(s.size(2), s.size(1)), "bias", Shape.of(s.size(2)));
            case "conv" ->
                Map.of("weight", Shape.of(s.size(3), s.size(1), s.size(4), s.size(4)), "bias", Shape.of(s.size(3)));
            default -> Map.of();
        };
    }

    private static List<Shape> inputs(OpShape s) {
        return switch (s.kind()) {
            case "linear" -> List.of(Shape.of(s.size(0), s.size(1)));
            case "conv" -> List.of(Shape.of(s.size(0), s.size(1), s.size(2), s.size(2)));
            default -> {
                Shape keys = Shape.of(1, s.size(2), s.size(0) * s.size(3));
                yield List.of(Shape.of(1, s.size(1), s.size(0) * s.size(3)), keys, keys);
            }
        };
    }

    private static Value layer(OpShape s, List<Value> x, Weights at) {
        return switch (s.kind()) {
            case "linear" -> Linear.of(x.get(0), s.size(2), at);
            case "conv" -> Conv2d.of(x.get(0), s.size(3), s.size(4), s.size(5), s.size(4) / 2, s.size(4) / 2, at);
            default -> Attention.of(x.get(0), x.get(1), x.get(2), s.size(0), false);
        };
    }

    private static Tensor half(Random random, Shape shape) {
        short[] bits = new short[shape.elements()];
        for (int i = 0; i < bits.length; i++) bits[i] = Float.floatToFloat16((float) random.nextGaussian() / 16);
        return new Tensor(DType.F16, shape, MemorySegment.ofArray(bits));
    }

    /** Runs the op, its inputs' copy into place included. */
    List<Tensor> run() {
        return executable.run(inputs);
    }

    /**
     * Seconds that the op itself takes in one run.
     *
     * @throws IllegalStateException where nobody counts them
     */
    double seconds() {
        if (nanos == null) throw new IllegalStateException("made to be timed from outside");
        nanos.set(0);
        run();
        return nanos.get() / 1e9;
    }

    @Override
    public void close() {
        executable.close();
        backend.close();
    }

    /** The first element: so that a run has little to return, and does not measure how that is copied. */
    private record First(Value x, Value y) implements Op {
        @Override
        public List<Value> inputs() {
            return List.of(x);
        }

        @Override
        public Value output() {
            return y;
        }

        @Override
        public List<KernelCall> loops() {
            return List.of(Kernel.call(1, First::first, x, y));
        }

        public static void first(int begin, int count, FloatArray x, FloatArray y) {
            for (@Parallel int k = 0; k < count; k++) y.set(begin + k, x.get(begin + k));
        }
    }
}
