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
 * Assigns values to buffers. Values whose lifetimes do not overlap share one: a whole buffer each, never an offset into
 * one, because devices take whole arrays. Constants are not planned: they have memory of their own.
 */
public final class MemoryPlanner {
    private MemoryPlanner() {}

    /**
     * The result.
     *
     * @param buffers size of each buffer in bytes
     * @param assignments the buffer of each value's {@link Value#storage()}
     */
    public record Plan(List<Long> buffers, Map<Value, Integer> assignments) {
        /** The buffer that holds the value. */
        public int bufferOf(Value value) {
            Integer buffer = assignments.get(value.storage());
            if (buffer == null)
                throw new IllegalStateException(value + " has no buffer: no op of the graph computes it");
            return buffer;
        }

        /** Working memory in bytes: the total size of all buffers. */
        public long peakBytes() {
            return buffers.stream().mapToLong(Long::longValue).sum();
        }
    }

    /**
     * Plans a graph.
     *
     * @param scratch the values that an op keeps between its kernels
     */
    public static Plan plan(Graph graph, Function<Op, List<Value>> scratch) {
        return plan(graph, scratch, value -> MemoryPlanner.class);
    }

    /**
     * Plans a graph in which only some values may share buffers.
     *
     * @param kind of a {@link Value#storage()}: only values of the same kind, by identity, share a buffer
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
        Map<Value, Integer> places = new IdentityHashMap<>();
        Map<Object, List<Integer>> free = new IdentityHashMap<>();
        Function<Value, List<Integer>> same = value -> free.computeIfAbsent(kind.apply(value), k -> new ArrayList<>());
        // All inputs are filled before the first op runs, so their lifetimes overlap.
        for (Value input : graph.inputs()) places.put(input, take(input, buffers, same.apply(input)));
        for (int i = 0; i < ops.size(); i++) {
            Op op = ops.get(i);
            Value output = op.output().storage();
            if (places.containsKey(output)) throw new IllegalStateException(output + " is computed twice");
            places.put(output, take(output, buffers, same.apply(output)));
            List<Value> dead = new ArrayList<>();
            for (Value value : scratch.apply(op)) {
                places.put(value, take(value, buffers, same.apply(value)));
                dead.add(value);
            }
            Set<Value> read = new LinkedHashSet<>(); // insertion order, so that equal graphs get equal plans
            for (Value input : op.inputs()) if (input.constant().isEmpty()) read.add(input.storage());
            read.add(output);
            for (Value value : read) {
                if (!places.containsKey(value))
                    throw new IllegalStateException(
                            op.getClass().getSimpleName() + " reads " + value + " before any op computes it");
                if (lastUse.get(value) == i) dead.add(value);
            }
            for (Value value : dead) same.apply(value).add(places.get(value));
        }
        return new Plan(List.copyOf(buffers), places);
    }

    /** The smallest free buffer that is large enough, otherwise the largest free one enlarged, otherwise a new one. */
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

    /** The scratch values that an op's kernels share. */
    public static List<Value> scratch(Op op, List<KernelCall> loops) {
        Map<Value, Boolean> known = new HashMap<>();
        for (Value input : op.inputs()) known.put(input.storage(), true);
        known.put(op.output().storage(), true);
        List<Value> scratch = new ArrayList<>();
        for (KernelCall call : loops)
            for (Value value : call.values())
                if (value.constant().isEmpty() && known.put(value.storage(), true) == null)
                    scratch.add(value.storage());
        return scratch;
    }
}
