package dev.gyre.core;

import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * How a graph is run on the JVM: for each op its faster way or its loops, and where values lie.
 *
 * @param graph with ops joined where they offer it
 * @param kernels the faster ways
 * @param loops of the ops without one
 */
record JvmPlan(Graph graph, Map<Op, JvmKernel> kernels, Map<Op, List<Step>> loops, Planner.Plan memory) {
    /**
     * How this backend runs it.
     *
     * @param alone which ops are joined with no other
     */
    JvmPlan(Graph given, JvmBackend backend, Predicate<Op> alone) {
        this(
                backend.steps().isPresent() ? given : given.joined(alone),
                backend,
                new IdentityHashMap<>(),
                new IdentityHashMap<>());
    }

    private JvmPlan(Graph graph, JvmBackend backend, Map<Op, JvmKernel> kernels, Map<Op, List<Step>> loops) {
        for (Op op : graph.ops()) {
            Optional<JvmKernel> kernel = backend.steps().isPresent() ? Optional.empty() : op.jvm(backend.precision());
            if (kernel.isPresent()) kernels.put(op, kernel.get());
            else loops.put(op, backend.steps().orElse(Op::loops).apply(op));
        }
        this(
                graph,
                kernels,
                loops,
                Planner.plan(graph, op -> loops.containsKey(op) ? Planner.scratch(op, loops.get(op)) : List.of()));
    }
}
