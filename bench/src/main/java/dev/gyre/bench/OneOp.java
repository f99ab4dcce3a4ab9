package dev.gyre.bench;

import dev.gyre.core.DType;
import dev.gyre.core.Executable;
import dev.gyre.core.Graph;
import dev.gyre.core.JvmBackend;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.nn.Weights;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.BiFunction;

/** A compiled graph of one op with random inputs and F16 weights, as checkpoints have them. */
final class OneOp implements AutoCloseable {
    private final JvmBackend backend;
    private final Executable executable;
    private final Tensor[] inputs;

    /**
     * @param weights shapes by key
     * @param inputs shapes
     */
    OneOp(int threads, Map<String, Shape> weights, List<Shape> inputs, BiFunction<List<Value>, Weights, Value> layer) {
        Random random = new Random(1);
        Graph graph = new Graph();
        Weights at =
                Weights.of(graph, key -> Optional.ofNullable(weights.get(key)).map(shape -> half(random, shape)));
        List<Value> values = new ArrayList<>();
        List<Tensor> given = new ArrayList<>();
        for (Shape shape : inputs) {
            int[] dims = shape.dims().stream().mapToInt(Integer::intValue).toArray();
            values.add(graph.input("x" + values.size(), DType.F32, dims));
            float[] numbers = new float[shape.elements()];
            for (int i = 0; i < numbers.length; i++) numbers[i] = (float) random.nextGaussian();
            given.add(Tensor.of(numbers, dims));
        }
        graph.output(layer.apply(values, at));
        at.check();
        backend = new JvmBackend(threads);
        executable = backend.compile(graph);
        this.inputs = given.toArray(Tensor[]::new);
    }

    private static Tensor half(Random random, Shape shape) {
        short[] bits = new short[shape.elements()];
        for (int i = 0; i < bits.length; i++) bits[i] = Float.floatToFloat16((float) random.nextGaussian() / 16);
        return new Tensor(DType.F16, shape, MemorySegment.ofArray(bits));
    }

    List<Tensor> run() {
        return executable.run(inputs);
    }

    @Override
    public void close() {
        executable.close();
        backend.close();
    }
}
