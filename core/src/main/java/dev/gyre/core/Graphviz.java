package dev.gyre.core;

import java.util.IdentityHashMap;
import java.util.Map;

/** Draws a graph with Graphviz: {@code dot -Tsvg graph.dot -o graph.svg}. */
public final class Graphviz {
    private Graphviz() {}

    /**
     * The graph in the DOT language: a node for each input and op, an edge for each value between them, with its shape.
     * There are too many weights to draw; an op that has some is darker.
     */
    public static String of(Graph graph) {
        StringBuilder out = new StringBuilder("digraph " + quoted(graph.title()) + " {\n");
        out.append("  node [shape=box, style=filled, fillcolor=white, fontname=\"Helvetica\"];\n");
        Map<Value, String> makers = new IdentityHashMap<>();
        for (Value input : graph.inputs()) {
            String id = "in" + makers.size();
            makers.put(input.storage(), id);
            out.append("  " + id + " [shape=ellipse, label=" + quoted(input.name()) + "];\n");
        }
        int number = 0;
        for (Op op : graph.ops()) {
            String id = "op" + number++;
            makers.put(op.output().storage(), id);
            boolean weighted =
                    op.inputs().stream().anyMatch(input -> input.constant().isPresent());
            String name = String.join("\n", graph.names(op.output()));
            out.append("  " + id + " [label=" + quoted(op.getClass().getSimpleName() + "\n" + name)
                    + (weighted ? ", fillcolor=lightsteelblue" : "") + "];\n");
            for (Value input : op.inputs()) if (input.constant().isEmpty()) edge(out, makers, input, id);
        }
        number = 0;
        for (Value output : graph.outputs()) {
            String id = "out" + number++;
            out.append("  " + id + " [shape=ellipse, label=\"output\"];\n");
            edge(out, makers, output, id);
        }
        return out.append("}\n").toString();
    }

    private static void edge(StringBuilder out, Map<Value, String> makers, Value value, String to) {
        String label = value.dtype() + " " + value.shape();
        out.append("  " + makers.get(value.storage()) + " -> " + to + " [label=" + quoted(label) + "];\n");
    }

    private static String quoted(String text) {
        return '"' + text.strip().replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
    }
}
