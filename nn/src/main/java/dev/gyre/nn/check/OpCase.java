package dev.gyre.nn.check;

import dev.gyre.core.DType;
import dev.gyre.core.Graph;
import dev.gyre.core.Q8;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.nn.Weights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;

/**
 * One row of the table of op tests: how the op is built, its inputs, and its expected output in double precision.
 *
 * @param name op and sizes
 * @param inputs shapes of the inputs; all F32, normally distributed
 * @param weights shapes of the constants by key
 * @param type how the weights are stored
 * @param layer builds the op
 * @param oracle the expected output from the inputs, then the weights, in order
 */
record OpCase(
        String name,
        List<Shape> inputs,
        Map<String, Shape> weights,
        DType type,
        Layer layer,
        Function<List<double[]>, double[]> oracle) {

    /** Builds the case's op. */
    public interface Layer {
        /** The op's result. */
        Value build(List<Value> inputs, Weights at);
    }

    static OpCase of(String name, Layer layer, Function<List<double[]>, double[]> oracle, Shape... inputs) {
        return new OpCase(name, List.of(inputs), new LinkedHashMap<>(), DType.F32, layer, oracle);
    }

    OpCase weight(String key, int... dims) {
        Map<String, Shape> more = new LinkedHashMap<>(weights);
        more.put(key, Shape.of(dims));
        return new OpCase(name, inputs, more, type, layer, oracle);
    }

    OpCase stored(DType as) {
        return new OpCase(name + " " + as, inputs, weights, as, layer, oracle);
    }

    List<Tensor> makeInputs() {
        Random random = new Random(name.hashCode());
        return inputs.stream().map(s -> Tensor.of(values(random, s), dims(s))).toList();
    }

    /** The weights of this case by key, the same at each call. */
    Map<String, Tensor> makeWeights() {
        Random random = new Random(17);
        Map<String, Tensor> made = new LinkedHashMap<>();
        weights.forEach((key, shape) -> made.put(key, stored(values(random, shape), shape)));
        return made;
    }

    /** A graph of this op alone. */
    Graph graph(Map<String, Tensor> tensors) {
        Graph graph = new Graph();
        List<Value> values = new ArrayList<>();
        for (Shape shape : inputs) values.add(graph.input("x" + values.size(), DType.F32, dims(shape)));
        Weights at = Weights.of(graph, key -> Optional.ofNullable(tensors.get(key)));
        graph.output(layer.build(values, at));
        at.check();
        return graph;
    }

    double[] expected(List<Tensor> given, Map<String, Tensor> tensors) {
        List<double[]> all = new ArrayList<>();
        for (Tensor tensor : given) all.add(doubles(tensor));
        for (Tensor tensor : tensors.values()) all.add(doubles(tensor));
        return oracle.apply(all);
    }

    private Tensor stored(float[] values, Shape shape) {
        if (type == DType.F32) return Tensor.of(values, dims(shape));
        if (type == DType.Q8_0)
            return shape.rank() > 1 && Q8.fits(shape)
                    ? Q8.of(Tensor.of(values, dims(shape)), Arena.ofAuto())
                    : Tensor.of(values, dims(shape));
        short[] bits = new short[values.length];
        for (int i = 0; i < bits.length; i++)
            bits[i] = type == DType.F16
                    ? Float.floatToFloat16(values[i])
                    : (short) (Float.floatToRawIntBits(values[i]) >>> 16);
        return new Tensor(type, shape, MemorySegment.ofArray(bits));
    }

    private static float[] values(Random random, Shape shape) {
        float[] values = new float[shape.elements()];
        for (int i = 0; i < values.length; i++) values[i] = (float) random.nextGaussian();
        return values;
    }

    private static double[] doubles(Tensor tensor) {
        float[] floats = tensor.floats();
        double[] doubles = new double[floats.length];
        for (int i = 0; i < doubles.length; i++) doubles[i] = floats[i];
        return doubles;
    }

    private static int[] dims(Shape shape) {
        return shape.dims().stream().mapToInt(Integer::intValue).toArray();
    }

    @Override
    public String toString() {
        return name;
    }
}
