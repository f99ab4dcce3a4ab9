package dev.gyre.core;

import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * Observes the inputs and outputs of ops in running graphs, without the model knowing. On the JVM nothing is kept or
 * copied for it; on a device the values are returned with the graph's outputs. An exception it throws ends the run.
 */
public interface Observer {
    /** Observes nothing. */
    Observer NONE = new Observer() {
        /** Whether it observes this op's inputs and output. Asked once, when the graph is compiled. */
        @Override
        public boolean wants(Op op) {
            return false;
        }

        @Override
        public void made(Op op, Function<Value, Tensor> values) {}
    };

    /** Whether it wants to see what this op reads and makes. Asked once, when the graph is compiled. */
    boolean wants(Op op);

    /**
     * Called when the op has run, on the thread that runs the graph.
     *
     * @param values the elements of the op's inputs and output; their memory is reused after this call
     */
    void made(Op op, Function<Value, Tensor> values);

    /**
     * Observes values by name.
     *
     * @param names the whole name, {@code *} standing for any characters: {@code *.attn2}, {@code *.input_blocks.1.*}
     * @param see receives the name and the elements; copy them to keep them, as {@link Tensor#floats()} does
     */
    static Observer of(String names, BiConsumer<String, Tensor> see) {
        Pattern pattern = Pattern.compile(("\\Q" + names + "\\E").replace("*", "\\E.*\\Q"));
        return new Observer() {
            private List<String> matching(Op op) {
                Value made = op.output();
                return made.graph().names(made).stream()
                        .filter(name -> pattern.matcher(name).matches())
                        .toList();
            }

            @Override
            public boolean wants(Op op) {
                return !matching(op).isEmpty();
            }

            @Override
            public void made(Op op, Function<Value, Tensor> values) {
                for (String name : matching(op)) see.accept(name, values.apply(op.output()));
            }
        };
    }
}
