package dev.gyre.core;

import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * Sees values of running graphs as they are made, without the model knowing: what an op reads and what it makes. On the JVM nothing is
 * kept or copied for it; on a device the values travel back with the graph's outputs. What it throws ends the run.
 */
public interface Observer {
    /** Sees nothing. */
    Observer NONE = new Observer() {
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
     * The op has run. Called on the thread that runs the graph.
     *
     * @param values gives the elements of the op's inputs and of its output; their memory is used again after this call
     */
    void made(Op op, Function<Value, Tensor> values);

    /**
     * Sees the values of some names.
     *
     * @param names the whole name, {@code *} standing for any characters: {@code *.attn2}, {@code *.input_blocks.1.*}
     * @param see is told the name and the elements, which it must copy if they are to stay: {@link Tensor#floats()} does
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
