package dev.gyre.core;

import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How a graph is run on the JVM: for each op its faster way or its loops, and where values lie.
 *
 * @param graph with ops joined where they offer it
 * @param kernels the faster ways
 * @param loops of the ops without one
 */
record JvmPlan(Graph graph, Map<Op, JvmKernel> kernels, Map<Op, List<Step>> loops, Planner.Plan memory) {
    /** @param definitions whether nothing but the definitions runs */
    JvmPlan(Graph given, boolean definitions) {
        this(definitions ? given : given.joined(), definitions, new IdentityHashMap<>(), new IdentityHashMap<>());
    }

    private JvmPlan(Graph graph, boolean definitions, Map<Op, JvmKernel> kernels, Map<Op, List<Step>> loops) {
        for (Op op : graph.ops()) {
            Optional<JvmKernel> kernel = definitions ? Optional.empty() : op.jvm();
            if (kernel.isPresent()) kernels.put(op, kernel.get());
            else loops.put(op, op.loops());
        }
        this(
                graph,
                kernels,
                loops,
                Planner.plan(graph, op -> loops.containsKey(op) ? Planner.scratch(op, loops.get(op)) : List.of()));
    }
}
