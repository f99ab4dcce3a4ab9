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
 * A graph as a device runs it: tasks over numbered arrays, independent of TornadoVM. Equal computations on the same
 * weights give equal programs.
 *
 * @param tasks in execution order
 * @param arrays those that the tasks' {@link ArrayRef}s refer to
 * @param inputs the array of each of the graph's inputs
 * @param outputs the array of each of the graph's outputs
 */
record DeviceProgram(List<Task> tasks, List<Array> arrays, List<Integer> inputs, List<Integer> outputs) {
    /**
     * A buffer of the device.
     *
     * @param type F32, F16 or I32
     * @param weight its content, written once; null for what tasks compute
     */
    record ArrayRef(int array) {}

    /** A kernel with its range, threads of a work group, and arguments: numbers and array references. */
    record Task(Object kernel, int range, int group, List<Object> arguments) {
        List<Integer> arrayIndices() {
            List<Integer> arrayIndices = new ArrayList<>();
            for (Object argument : arguments) if (argument instanceof ArrayRef place) arrayIndices.add(place.array());
            return arrayIndices;
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
     * A weight, row-major or in panels; compared by the memory it is read from.
     *
     * @param width rows of a panel; 0 for row-major
     */
    record Content(String name, Tensor tensor, int rows, int width) {
        void fill(Object array) {
            if (width > 0) DevicePanels.fill(tensor, rows, width, array);
            else KernelArrays.fill(tensor, array);
        }
    }

    /** A program with the op and the kernel call of each of its tasks. */
    record Source(DeviceProgram program, List<Op> ops, List<KernelCall> calls) {
        /**
         * Divides the tasks into runs of at most {@code most}, the capacity of a TornadoVM task graph; an op's tasks
         * stay together.
         *
         * @return the index of the first task of each run, then the number of tasks
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
        Map<Op, List<KernelCall>> calls = new IdentityHashMap<>();
        for (Op op : graph.ops()) calls.put(op, target.calls(op));
        Set<Value> endpoints = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Value value : graph.inputs()) endpoints.add(value.storage());
        for (Value value : graph.outputs()) endpoints.add(value.storage());
        // Inputs and outputs are transferred whole, so they have arrays of their own; others share by type.
        MemoryPlanner.Plan plan = MemoryPlanner.plan(
                graph,
                op -> MemoryPlanner.scratch(op, calls.get(op)),
                value -> endpoints.contains(value) ? value : value.dtype());

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

    /** Whether any of its weights are in this memory. */
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

    /** Bytes of all weights on the device. */
    long weightBytes() {
        return arrays.stream()
                .filter(array -> array.weight() != null)
                .mapToLong(Array::bytes)
                .sum();
    }

    /** Bytes of arrays that tasks compute. */
    long workingBytes() {
        return arrays.stream()
                .filter(array -> array.weight() == null)
                .mapToLong(Array::bytes)
                .sum();
    }

    /** Bytes transferred in every run. */
    long trafficBytes() {
        long bytes = 0;
        for (int input : inputs) bytes += arrays.get(input).bytes();
        for (int output : outputs) bytes += arrays.get(output).bytes();
        return bytes;
    }

    /** @throws IllegalArgumentException naming what does not fit and what would help */
    void check(Device device) {
        for (Array array : arrays)
            if (array.bytes() > device.largestBuffer())
                throw new IllegalArgumentException((array.weight() == null
                                ? "an intermediate value"
                                : array.weight().name())
                        + " needs " + gibibytes(array.bytes()) + " in one buffer, but " + device + " allows "
                        + gibibytes(device.largestBuffer()) + " at most; use a smaller image");
        long weights = weightBytes(), working = workingBytes();
        if (weights + working > device.memory())
            throw new IllegalArgumentException("the graph needs " + gibibytes(weights + working) + " (weights "
                    + gibibytes(weights) + ", other values "
                    + gibibytes(working) + "), but " + device + " has "
                    + gibibytes(device.memory())
                    + "; use a smaller image, a smaller batch, or a checkpoint in F16 if the device supports it");
    }

    private static String gibibytes(long bytes) {
        return String.format(Locale.ROOT, "%.2f GiB", bytes / (double) (1 << 30));
    }
}
