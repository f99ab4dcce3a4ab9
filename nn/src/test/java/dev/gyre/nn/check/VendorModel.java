package dev.gyre.nn.check;

import dev.gyre.core.DType;
import dev.gyre.core.DevicePanels;
import dev.gyre.core.Graph;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Target;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;

/** Runs a case's device kernels without the device: loops as plain Java, other kernels by a model. */
final class VendorModel {
    private VendorModel() {}

    /** The device kernels of a case's op or ops. */
    static List<KernelCall> steps(OpCase one, Target target) {
        return ops(one.graph(one.makeWeights()), target).stream()
                .flatMap(op -> op.device(target).stream())
                .toList();
    }

    /** Fused, where the second op accepts the first. */
    private static List<Op> ops(Graph graph, Target target) {
        List<Op> ops = graph.ops();
        if (ops.size() == 1) return ops;
        return ops.getLast().fused(ops.getFirst(), target).map(List::of).orElse(ops);
    }

    /**
     * Runs the kernels.
     *
     * @param special runs a kernel that is no loop, with its arguments
     * @return the case's output
     */
    static float[] run(
            OpCase one,
            List<Tensor> inputs,
            Map<String, Tensor> weights,
            Target target,
            BiConsumer<KernelCall, Object[]> special) {
        Graph graph = one.graph(weights);
        Map<Value, Object> arrays = new IdentityHashMap<>();
        for (int i = 0; i < inputs.size(); i++) arrays.put(graph.inputs().get(i), array(inputs.get(i)));
        for (Op op : ops(graph, target))
            for (KernelCall step : op.device(target)) {
                Object[] arguments = step.bind(
                        value -> arrays.computeIfAbsent(value.storage(), VendorModel::array), VendorModel::array);
                if (step.range() > 0 && step.group() == 0) step.call(0, step.range(), arguments);
                else special.accept(step, arguments);
            }
        return ((FloatArray) arrays.get(graph.outputs().getFirst().storage())).toHeapArray();
    }

    private static Object array(Value value) {
        if (value.constant().isPresent()) return array(value.constant().get());
        int size = value.shape().elements();
        return value.dtype() == DType.F16 ? new HalfFloatArray(size) : new FloatArray(size);
    }

    private static FloatArray array(Tensor tensor) {
        return FloatArray.fromArray(tensor.floats());
    }

    private static Object array(DevicePanels panels) {
        Object array = panels.f16() ? new HalfFloatArray(panels.elements()) : new FloatArray(panels.elements());
        panels.fill(array);
        return array;
    }
}
