package dev.gyre.core.plan;

import dev.gyre.core.Graph;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import java.util.List;

/** Checks the inputs of a run. */
public final class GraphInputs {
    private GraphInputs() {}

    /** @throws IllegalArgumentException naming the first input whose type or shape differs from the graph's */
    public static void check(Graph graph, Tensor... given) {
        List<Value> inputs = graph.inputs();
        if (given.length != inputs.size())
            throw new IllegalArgumentException(
                    "the graph has " + inputs.size() + " inputs " + inputs + ", got " + given.length);
        for (int i = 0; i < given.length; i++) {
            Value value = inputs.get(i);
            if (given[i].dtype() != value.dtype() || !given[i].shape().equals(value.shape()))
                throw new IllegalArgumentException("input " + value.name() + ": expected " + value.dtype() + " "
                        + value.shape() + ", got " + given[i].dtype() + " " + given[i].shape());
        }
    }
}
