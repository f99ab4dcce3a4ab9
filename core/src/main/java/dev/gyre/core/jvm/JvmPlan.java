package dev.gyre.core.jvm;

import dev.gyre.core.Graph;
import dev.gyre.core.JvmKernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Target;
import dev.gyre.core.plan.MemoryPlanner;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * How a graph runs on the JVM: for each op its faster implementation or its definition, and the memory of its values.
 *
 * @param graph with ops fused where they offer it
 * @param kernels the faster implementations
 * @param loops the definitions of the other ops
 */
record JvmPlan(Graph graph, Map<Op, JvmKernel> kernels, Map<Op, List<KernelCall>> loops, MemoryPlanner.Plan memory) {
    /**
     * Plans a graph for this backend.
     *
     * @param alone which ops must not be fused
     */
    static JvmPlan of(Graph given, JvmBackend backend, Predicate<Op> alone) {
        Optional<Target> target = backend.target();
        Graph graph = given.fused(
                alone, (op, producer) -> target.map(t -> t.fused(op, producer)).orElseGet(() -> op.fused(producer)));
        Map<Op, JvmKernel> kernels = new IdentityHashMap<>();
        Map<Op, List<KernelCall>> loops = new IdentityHashMap<>();
        for (Op op : graph.ops()) {
            Optional<JvmKernel> kernel = target.isPresent() ? Optional.empty() : op.jvm(backend.precision());
            if (kernel.isPresent()) kernels.put(op, kernel.get());
            else loops.put(op, target.map(t -> t.calls(op)).orElseGet(op::loops));
        }
        MemoryPlanner.Plan memory = MemoryPlanner.plan(
                graph, op -> loops.containsKey(op) ? MemoryPlanner.scratch(op, loops.get(op)) : List.of());
        return new JvmPlan(graph, kernels, loops, memory);
    }
}
