package dev.gyre.diffusion.pipeline;

import dev.gyre.core.DType;
import dev.gyre.core.Graph;
import dev.gyre.core.Observer;
import dev.gyre.core.Op;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import java.util.function.Function;

/**
 * Finds where NaN or infinity first appears in a graph: an input, a weight or a layer's output. The graph runs again for that, which
 * takes time only where something is wrong.
 */
final class NonFiniteSearch implements Observer {
    private String found = "";

    /** The end of a sentence that says what was found; empty where nothing was. */
    String where() {
        return found;
    }

    /** @return whether an input holds one */
    boolean isGiven(Graph graph, Tensor... inputs) {
        for (int i = 0; i < inputs.length; i++)
            if (inputs[i].dtype().isFloating() && !finite(inputs[i].floats())) {
                found = "; it was given one, in its input \""
                        + graph.inputs().get(i).name() + "\"";
                return true;
            }
        return false;
    }

    @Override
    public boolean wants(Op op) {
        return op.output().dtype() == DType.F32;
    }

    @Override
    public void made(Op op, Function<Value, Tensor> values) {
        if (!found.isEmpty() || finite(values.apply(op.output()).floats())) return;
        String layer = op.output().name();
        for (Value input : op.inputs())
            if (input.constant().isPresent()
                    && input.dtype().isFloating()
                    && !finite(input.constant().get().floats())) {
                found = "; the weight " + input.name() + " holds one";
                return;
            }
        found = "; the first comes out of " + layer + " (" + op.getClass().getSimpleName() + ")";
    }

    static boolean finite(float[] values) {
        for (float v : values) if (!Float.isFinite(v)) return false;
        return true;
    }
}
