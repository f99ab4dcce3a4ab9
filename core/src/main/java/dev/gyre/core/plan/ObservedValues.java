package dev.gyre.core.plan;

import dev.gyre.core.Graph;
import dev.gyre.core.Observer;
import dev.gyre.core.Op;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Observed values of a graph whose intermediate values are not accessible: they are returned as additional outputs.
 *
 * @param ops those that the observer wants
 * @param values their inputs and outputs, each memory once
 */
public record ObservedValues(Observer observer, List<Op> ops, List<Value> values) {
    public static ObservedValues of(Graph graph, Observer observer) {
        List<Op> ops = graph.ops().stream().filter(observer::wants).toList();
        Set<Value> values = new LinkedHashSet<>();
        for (Op op : ops) {
            for (Value input : op.inputs()) if (input.constant().isEmpty()) values.add(input.storage());
            values.add(op.output().storage());
        }
        return new ObservedValues(observer, ops, new ArrayList<>(values));
    }

    /** @param returned a run's tensors, in the order of {@link #values} */
    public void deliver(List<Tensor> returned) {
        Map<Value, Tensor> tensors = new IdentityHashMap<>();
        for (int i = 0; i < values.size(); i++) tensors.put(values.get(i), returned.get(i));
        for (Op op : ops)
            observer.made(op, value -> value.constant()
                    .orElseGet(() -> new Tensor(
                            value.dtype(),
                            value.shape(),
                            tensors.get(value.storage()).data())));
    }
}
