package dev.gyre.core.plan;

import dev.gyre.core.Graph;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * Assigns values to buffers. Values whose lifetimes do not overlap may share one. A value takes a whole buffer, never an offset into one, as
 * devices take whole arrays. Constants have their own memory and are not planned.
 */
public final class MemoryPlanner {
    private MemoryPlanner() {}

    /**
     * An assignment of values to buffers.
     *
     * @param buffers size of each buffer in bytes
     * @param assignments the buffer of each value's {@link Value#storage()}
     */
    public record Plan(List<Long> buffers, Map<Value, Integer> assignments) {
        /** The index of the value's buffer. */
        public int bufferOf(Value value) {
            Integer buffer = assignments.get(value.storage());
            if (buffer == null)
                throw new IllegalStateException(value + " has no buffer: no op of the graph computes it");
            return buffer;
        }

        /** The size of all buffers in bytes. */
        public long peakBytes() {
            return buffers.stream().mapToLong(Long::longValue).sum();
        }
    }

    /**
     * Plans a graph.
     *
     * @param scratch the scratch values of an op, for the kernels that will run it
     */
    public static Plan plan(Graph graph, Function<Op, List<Value>> scratch) {
        return plan(graph, scratch, value -> MemoryPlanner.class);
    }

    /**
     * Plans a graph in which only some values may share a buffer.
     *
     * @param kind the kind of a {@link Value#storage()}: only values of the same kind, compared by identity, share a buffer
     */
    public static Plan plan(Graph graph, Function<Op, List<Value>> scratch, Function<Value, Object> kind) {
        List<Op> ops = graph.ops();
        Map<Value, Integer> lastUse = new IdentityHashMap<>();
        for (Value input : graph.inputs()) lastUse.put(input, -1);
        for (int i = 0; i < ops.size(); i++) {
            lastUse.put(ops.get(i).output().storage(), i);
            for (Value input : ops.get(i).inputs()) lastUse.put(input.storage(), i);
        }
        for (Value output : graph.outputs()) lastUse.put(output.storage(), ops.size());

        List<Long> buffers = new ArrayList<>();
        Map<Value, Integer> assignments = new IdentityHashMap<>();
        Map<Object, List<Integer>> free = new IdentityHashMap<>();
        Function<Value, List<Integer>> same = value -> free.computeIfAbsent(kind.apply(value), k -> new ArrayList<>());
        // All inputs are written before the first op runs, so their lifetimes overlap.
        for (Value input : graph.inputs()) assignments.put(input, take(input, buffers, same.apply(input)));
        for (int i = 0; i < ops.size(); i++) {
            Op op = ops.get(i);
            Value output = op.output().storage();
            if (assignments.containsKey(output)) throw new IllegalStateException(output + " is computed twice");
            assignments.put(output, take(output, buffers, same.apply(output)));
            List<Value> done = new ArrayList<>();
            for (Value value : scratch.apply(op)) {
                assignments.put(value, take(value, buffers, same.apply(value)));
                done.add(value);
            }
            Set<Value> used = new LinkedHashSet<>(); // ordered, so that equal graphs get equal plans
            for (Value input : op.inputs()) if (input.constant().isEmpty()) used.add(input.storage());
            used.add(output);
            for (Value value : used) {
                if (!assignments.containsKey(value))
                    throw new IllegalStateException(
                            op.getClass().getSimpleName() + " reads " + value + " before any op computes it");
                if (lastUse.get(value) == i) done.add(value);
            }
            for (Value value : done) same.apply(value).add(assignments.get(value));
        }
        return new Plan(List.copyOf(buffers), assignments);
    }

    /** Takes the smallest free buffer that fits, or else grows the largest free one, or else adds one. */
    private static int take(Value value, List<Long> buffers, List<Integer> free) {
        long bytes = value.bytes();
        int best = -1;
        for (int i = 0; i < free.size(); i++) {
            if (best < 0) {
                best = i;
                continue;
            }
            long size = buffers.get(free.get(i)), bestSize = buffers.get(free.get(best));
            boolean fits = size >= bytes, bestFits = bestSize >= bytes;
            if (fits && bestFits ? size < bestSize : size > bestSize) best = i;
        }
        if (best < 0) {
            buffers.add(bytes);
            return buffers.size() - 1;
        }
        int buffer = free.remove(best);
        buffers.set(buffer, Math.max(buffers.get(buffer), bytes));
        return buffer;
    }

    /** The scratch values that an op's kernel calls pass to one another. */
    public static List<Value> scratch(Op op, List<KernelCall> calls) {
        Map<Value, Boolean> known = new HashMap<>();
        for (Value input : op.inputs()) known.put(input.storage(), true);
        known.put(op.output().storage(), true);
        List<Value> scratch = new ArrayList<>();
        for (KernelCall call : calls)
            for (Value value : call.values())
                if (value.constant().isEmpty() && known.put(value.storage(), true) == null)
                    scratch.add(value.storage());
        return scratch;
    }
}
