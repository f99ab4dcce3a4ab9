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
 * A graph as a device runs it: tasks over numbered arrays. It knows nothing of TornadoVM. Two graphs that do the same with the same
 * weights give equal programs.
 *
 * @param tasks in the order they run
 * @param arrays what the tasks' {@link ArrayRef}s number
 * @param inputs the array of each of the graph's inputs
 * @param outputs the array of each of the graph's outputs
 */
record DeviceProgram(List<Task> tasks, List<Array> arrays, List<Integer> inputs, List<Integer> outputs) {
    /** An array by its number. */
    record ArrayRef(int array) {}

    /** A kernel with its range and threads of a group, and its arguments: numbers and places. */
    record Task(Object kernel, int range, int group, List<Object> arguments) {
        List<Integer> arrayIndices() {
            List<Integer> places = new ArrayList<>();
            for (Object argument : arguments) if (argument instanceof ArrayRef place) places.add(place.array());
            return places;
        }
    }

    /**
     * What lies in one buffer of the device.
     *
     * @param type F32, F16 or I32
     * @param weight what it is filled with once; null for what tasks fill
     */
    record Array(DType type, int elements, Content weight) {
        long bytes() {
            return type.bytes(elements);
        }
    }

    /**
     * A weight as it is, or in panels; compared by the memory it is read from.
     *
     * @param width rows of a panel; 0 for the weight as it is
     */
    record Content(String name, Tensor tensor, int rows, int width) {
        void fill(Object array) {
            if (width > 0) DevicePanels.fill(tensor, rows, width, array);
            else KernelArrays.fill(tensor, array);
        }
    }

    /** A program, and the op and step that each of its tasks came from. */
    record Source(DeviceProgram program, List<Op> ops, List<KernelCall> calls) {
        /**
         * The tasks in runs of at most {@code most}, which is what TornadoVM's task graphs hold; an op's tasks stay together.
         *
         * @return the number of the first task of each run, then the number of tasks
         */
        List<Integer> cuts(int most) {
            List<Integer> cuts = new ArrayList<>(List.of(0));
            for (int i = 0, first = 0; i < ops.size(); i++) {
                if (i == 0 || ops.get(i) != ops.get(i - 1)) first = i;
                if (i - cuts.getLast() == most) cuts.add(first);
            }
            if (!ops.isEmpty()) cuts.add(ops.size());
            return cuts;
        }
    }

    static Source of(Graph given, Target target) {
        Graph graph = given.fused(op -> false, target::fused);
        Map<Op, List<KernelCall>> steps = new IdentityHashMap<>();
        for (Op op : graph.ops()) steps.put(op, target.calls(op));
        Set<Value> ends = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Value value : graph.inputs()) ends.add(value.storage());
        for (Value value : graph.outputs()) ends.add(value.storage());
        // Inputs and outputs travel whole, so they lie alone; the others share with their own type.
        MemoryPlanner.Plan plan = MemoryPlanner.plan(
                graph,
                op -> MemoryPlanner.scratch(op, steps.get(op)),
                value -> ends.contains(value) ? value : value.dtype());

        List<Array> arrays = new ArrayList<>(Collections.nCopies(plan.buffers().size(), null));
        plan.assignments().forEach((value, place) -> {
            long elements = plan.buffers().get(place) / value.dtype().bytes(1);
            arrays.set(place, new Array(value.dtype(), Math.toIntExact(elements), null));
        });
        Map<Object, Integer> constants = new LinkedHashMap<>();
        List<Task> tasks = new ArrayList<>();
        List<Op> ops = new ArrayList<>();
        List<KernelCall> all = new ArrayList<>();
        for (Op op : graph.ops())
            for (KernelCall step : steps.get(op)) {
                Object[] arguments = step.bind(
                        value -> new ArrayRef(
                                value.constant().isPresent() ? constant(value, arrays, constants) : plan.bufferOf(value)),
                        panels -> new ArrayRef(constant(panels, arrays, constants)));
                tasks.add(new Task(step.kernel(), step.range(), step.group(), List.of(arguments)));
                ops.add(op);
                all.add(step);
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
        Value whole = value.storage();
        DType type = whole.dtype() == DType.I32 ? DType.I32 : DType.F32;
        return add(
                new Content(whole.name(), whole.constant().orElseThrow(), 0, 0),
                type,
                whole.shape().elements(),
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

    /** Whether any of its weights lie in this memory. */
    boolean reads(MemorySegment.Scope owner) {
        for (Array array : arrays)
            if (array.weight != null && array.weight.tensor.data().scope().equals(owner)) return true;
        return false;
    }

    /** Whether the memory of all weights is still there. */
    boolean alive() {
        return arrays.stream()
                .allMatch(array -> array.weight() == null
                        || array.weight().tensor().data().scope().isAlive());
    }

    /** Bytes of all weights, as the device holds them. */
    long weightBytes() {
        return arrays.stream()
                .filter(array -> array.weight() != null)
                .mapToLong(Array::bytes)
                .sum();
    }

    /** Bytes of what tasks fill. */
    long workingBytes() {
        return arrays.stream()
                .filter(array -> array.weight() == null)
                .mapToLong(Array::bytes)
                .sum();
    }

    /** Bytes that every run moves to the device and back. */
    long trafficBytes() {
        long bytes = 0;
        for (int input : inputs) bytes += arrays.get(input).bytes();
        for (int output : outputs) bytes += arrays.get(output).bytes();
        return bytes;
    }

    /** @throws IllegalArgumentException saying what does not fit and what would help */
    void check(Device device) {
        for (Array array : arrays)
            if (array.bytes() > device.largestBuffer())
                throw new IllegalArgumentException((array.weight() == null
                                ? "an intermediate value"
                                : array.weight().name())
                        + " needs " + gibibytes(array.bytes()) + " in one piece, but " + device + " takes "
                        + gibibytes(device.largestBuffer()) + " at most; a smaller picture would help");
        long weights = weightBytes(), working = workingBytes();
        if (weights + working > device.memory())
            throw new IllegalArgumentException("the graph needs " + gibibytes(weights + working) + " (weights "
                    + gibibytes(weights) + ", the rest in between), but " + device + " has "
                    + gibibytes(device.memory())
                    + "; a smaller picture or a smaller batch would help, and weights stored as F16 where the device"
                    + " computes with them");
    }

    private static String gibibytes(long bytes) {
        return String.format(Locale.ROOT, "%.2f GiB", bytes / (double) (1 << 30));
    }
}
