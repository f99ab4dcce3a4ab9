package dev.gyre.core;

import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * Sees the inputs and outputs of ops while a graph runs, without changes to the model. The JVM backend neither keeps nor copies values for
 * it; a device returns them with the graph's outputs. An exception that it throws ends the run.
 */
public interface Observer {
    /** Observes nothing. */
    Observer NONE = new Observer() {
        @Override
        public boolean wants(Op op) {
            return false;
        }

        @Override
        public void made(Op op, Function<Value, Tensor> values) {}
    };

    /** Whether to observe this op. Asked once, when the graph is compiled. */
    boolean wants(Op op);

    /**
     * An observed op has run. Called on the thread that runs the graph.
     *
     * @param values maps the op's inputs and its output to their elements, whose memory is reused after this call
     */
    void made(Op op, Function<Value, Tensor> values);

    /**
     * Observes the values whose {@linkplain Graph#names name} matches a pattern.
     *
     * @param names a pattern for the whole name, in which {@code *} matches any characters: {@code *.attn2}, {@code *.input_blocks.1.*}
     * @param see receives the name and the elements; to keep the elements, copy them, for example with {@link Tensor#floats()}
     */
    static Observer of(String names, BiConsumer<String, Tensor> see) {
        Pattern pattern = Pattern.compile(("\\Q" + names + "\\E").replace("*", "\\E.*\\Q"));
        return new Observer() {
            private List<String> matching(Op op) {
                Value output = op.output();
                return output.graph().names(output).stream()
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
