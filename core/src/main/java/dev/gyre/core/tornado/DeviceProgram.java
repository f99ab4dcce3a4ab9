package dev.gyre.core.tornado;

import dev.gyre.core.DType;
import dev.gyre.core.DevicePanels;
import dev.gyre.core.Graph;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Target;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.core.plan.KernelArrays;
import dev.gyre.core.plan.MemoryPlanner;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * A graph compiled to tasks over numbered arrays, independent of TornadoVM. Two graphs that do the same with the same
 * weights give equal programs.
 *
 * @param tasks in the order they run
 * @param arrays the arrays that the tasks' {@link ArrayRef}s refer to
 * @param inputs the array of each of the graph's inputs
 * @param outputs the array of each of the graph's outputs
 */
record DeviceProgram(List<Task> tasks, List<Array> arrays, List<Integer> inputs, List<Integer> outputs) {
    /** An array by its number. */
    record ArrayRef(int array) {}

    /** A kernel with its range, its work group size (0 for a parallel loop) and its arguments: numbers and {@link ArrayRef}s. */
    record Task(Object kernel, int range, int group, List<Object> arguments) {
        List<Integer> arrayIndices() {
            List<Integer> indices = new ArrayList<>();
            for (Object argument : arguments) if (argument instanceof ArrayRef ref) indices.add(ref.array());
            return indices;
        }
    }

    /**
     * A buffer on the device.
     *
     * @param type F32, F16 or I32
     * @param weight its content, uploaded once; null for an array that tasks write
     */
    record Array(DType type, int elements, Content weight) {
        long bytes() {
            return type.bytes(elements);
        }
    }

    /**
     * A weight in its stored layout or in panels, compared by its memory.
     *
     * @param width rows of a panel; 0 for the stored layout
     */
    record Content(String name, Tensor tensor, int rows, int width) {
        void fill(Object array) {
            if (width > 0) DevicePanels.fill(tensor, rows, width, array);
            else KernelArrays.fill(tensor, array);
        }
    }

    /** A program, with the op and the kernel call of each of its tasks. */
    record Source(DeviceProgram program, List<Op> ops, List<KernelCall> calls) {
        /**
         * Splits the tasks into parts of at most {@code most}, the capacity of a task graph; an op's tasks stay together.
         *
         * @return the index of the first task of each part, then the number of tasks
         */
        List<Integer> cuts(int limit) {
            List<Integer> cuts = new ArrayList<>(List.of(0));
            for (int i = 0, first = 0; i < ops.size(); i++) {
                if (i == 0 || ops.get(i) != ops.get(i - 1)) first = i;
                if (i - cuts.getLast() == limit) cuts.add(first);
            }
            if (!ops.isEmpty()) cuts.add(ops.size());
            return cuts;
        }
    }

    static Source of(Graph given, Target target) {
        Graph graph = given.fused(op -> false, target::fused);
        Map<Op, List<KernelCall>> calls = new IdentityHashMap<>();
        for (Op op : graph.ops()) calls.put(op, target.calls(op));
        Set<Value> ends = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Value value : graph.inputs()) ends.add(value.storage());
        for (Value value : graph.outputs()) ends.add(value.storage());
        // An input or output is transferred as a whole array, so it has one of its own; other values share arrays of
        // their type.
        MemoryPlanner.Plan plan = MemoryPlanner.plan(
                graph,
                op -> MemoryPlanner.scratch(op, calls.get(op)),
                value -> ends.contains(value) ? value : value.dtype());

        List<Array> arrays = new ArrayList<>(Collections.nCopies(plan.buffers().size(), null));
        plan.assignments().forEach((value, buffer) -> {
            long elements = plan.buffers().get(buffer) / value.dtype().bytes(1);
            arrays.set(buffer, new Array(value.dtype(), Math.toIntExact(elements), null));
        });
        Map<Object, Integer> constants = new LinkedHashMap<>();
        List<Task> tasks = new ArrayList<>();
        List<Op> ops = new ArrayList<>();
        List<KernelCall> all = new ArrayList<>();
        for (Op op : graph.ops())
            for (KernelCall call : calls.get(op)) {
                Object[] arguments = call.bind(
                        value -> new ArrayRef(
                                value.constant().isPresent()
                                        ? constant(value, arrays, constants)
                                        : plan.bufferOf(value)),
                        panels -> new ArrayRef(constant(panels, arrays, constants)));
                tasks.add(new Task(call.kernel(), call.range(), call.group(), List.of(arguments)));
                ops.add(op);
                all.add(call);
            }
        return new Source(
                new DeviceProgram(
                        tasks,
                        arrays,
                        graph.inputs().stream().map(plan::bufferOf).toList(),
                        graph.outputs().stream().map(plan::bufferOf).toList()),
                ops,
                all);
    }

    private static int constant(Value value, List<Array> arrays, Map<Object, Integer> constants) {
        Value stored = value.storage();
        DType type = stored.dtype() == DType.I32 ? DType.I32 : DType.F32;
        return add(
                new Content(stored.name(), stored.constant().orElseThrow(), 0, 0),
                type,
                stored.shape().elements(),
                arrays,
                constants);
    }

    private static int constant(DevicePanels panels, List<Array> arrays, Map<Object, Integer> constants) {
        Tensor tensor = panels.weight().constant().orElseThrow();
        return add(
                new Content(panels.weight().name(), tensor, panels.rows(), panels.width()),
                panels.f16() ? DType.F16 : DType.F32,
                panels.elements(),
                arrays,
                constants);
    }

    private static int add(
            Content content, DType type, int elements, List<Array> arrays, Map<Object, Integer> constants) {
        return constants.computeIfAbsent(List.of(content, type), key -> {
            arrays.add(new Array(type, elements, content));
            return arrays.size() - 1;
        });
    }

    /** Whether any of its weights belongs to this scope. */
    boolean reads(MemorySegment.Scope owner) {
        for (Array array : arrays)
            if (array.weight != null && array.weight.tensor.data().scope().equals(owner)) return true;
        return false;
    }

    /** Whether the memory of all weights is still open. */
    boolean alive() {
        return arrays.stream()
                .allMatch(array -> array.weight() == null
                        || array.weight().tensor().data().scope().isAlive());
    }

    /** The size of all weights on the device in bytes. */
    long weightBytes() {
        return arrays.stream()
                .filter(array -> array.weight() != null)
                .mapToLong(Array::bytes)
                .sum();
    }

    /** The size of all other arrays in bytes. */
    long workingBytes() {
        return arrays.stream()
                .filter(array -> array.weight() == null)
                .mapToLong(Array::bytes)
                .sum();
    }

    /** The bytes that every run transfers to the device and back. */
    long trafficBytes() {
        long bytes = 0;
        for (int input : inputs) bytes += arrays.get(input).bytes();
        for (int output : outputs) bytes += arrays.get(output).bytes();
        return bytes;
    }

    /** @throws IllegalArgumentException when the program does not fit the device's memory; the message suggests a remedy */
    void check(Device device) {
        for (Array array : arrays)
            if (array.bytes() > device.largestBuffer())
                throw new IllegalArgumentException((array.weight() == null
                                ? "an intermediate value"
                                : array.weight().name())
                        + " needs " + gibibytes(array.bytes()) + " in one buffer, but " + device + " allows at most "
                        + gibibytes(device.largestBuffer()) + "; use a smaller image");
        long weights = weightBytes(), working = workingBytes();
        if (weights + working > device.memory())
            throw new IllegalArgumentException("the graph needs " + gibibytes(weights + working) + " (weights "
                    + gibibytes(weights) + ", activations " + gibibytes(working) + "), but " + device + " has "
                    + gibibytes(device.memory())
                    + "; use a smaller image, a smaller batch or, if the device supports F16, weights stored as F16");
    }

    private static String gibibytes(long bytes) {
        return String.format(Locale.ROOT, "%.2f GiB", bytes / (double) (1 << 30));
    }
}
