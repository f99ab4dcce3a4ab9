package dev.gyre.core.tornado;

import dev.gyre.core.DType;
import dev.gyre.core.Op;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.core.VendorCall;
import dev.gyre.core.tornado.DeviceProgram.Array;
import dev.gyre.core.tornado.DeviceProgram.ArrayRef;
import dev.gyre.core.tornado.DeviceProgram.Task;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.TornadoProfilerResult;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.enums.ProfilerMode;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * A program on a device: one execution plan of task graphs that pass their arrays on to one another. Weights and intermediate arrays are
 * uploaded by the first graph that uses them; after the first run their host memory is freed.
 */
final class TornadoProgram implements AutoCloseable {
    /** Tasks per task graph: TornadoVM supports 150 to 170, fewer if they have many arguments. */
    private static final int TASKS = 64;

    /** A task's time on the device in nanoseconds, in the profile of a plan. */
    private static final Pattern TASK_TIME =
            Pattern.compile("\"gyre(\\d+)\\.t(\\d+)\"\\s*:\\s*\\{[^}]*?\"TASK_KERNEL_TIME\"\\s*:\\s*\"(\\d+)\"");

    /**
     * Threads in a work group of a parallel loop on NVIDIA's GPUs. TornadoVM 5.2 may choose more than a kernel's registers allow, and
     * the launch is refused; 256 threads have room for the 255 registers that a thread has at most.
     */
    private static final int LOOP_GROUP = 256;

    private final DeviceProgram program;
    private final TornadoBackend.Options options;
    private final boolean limitsGroups;
    private final List<Op> ops;
    private final boolean releases;
    private final Object[] arrays;
    private final Arena ends = Arena.ofShared(); // inputs and outputs
    private final List<Arena> arenas = new ArrayList<>(); // what each graph uploads
    private final List<List<Integer>> uploads = new ArrayList<>();
    private final List<GridScheduler> grids = new ArrayList<>();
    private final TornadoExecutionPlan plan;
    private final List<Integer> cuts;
    private final int graphs;
    private boolean ready;
    private boolean failed;

    TornadoProgram(DeviceProgram.Source source, Device device, TornadoBackend.Options options) {
        this.program = source.program();
        this.ops = source.ops();
        this.options = options;
        // Drivers other than OpenCL pin the host memory, so it must stay.
        releases = device.language().equals("OpenCL");
        limitsGroups = device.isNvidia();
        arrays = new Object[program.arrays().size()];
        long start = System.nanoTime();
        cuts = source.cuts(TASKS);
        graphs = cuts.size() - 1;
        ImmutableTaskGraph[] snapshots = new ImmutableTaskGraph[graphs];
        try {
            for (int index : program.inputs())
                arrays[index] = allocate(program.arrays().get(index), ends);
            for (int index : program.outputs())
                if (arrays[index] == null)
                    arrays[index] = allocate(program.arrays().get(index), ends);
            Map<Integer, Integer> last = lastUse(cuts);
            Set<Integer> onDevice = new TreeSet<>();
            for (int g = 0; g < graphs; g++)
                snapshots[g] = graph(g, program.tasks().subList(cuts.get(g), cuts.get(g + 1)), onDevice, last)
                        .snapshot();
            plan = new TornadoExecutionPlan(snapshots);
            plan.withDevice(TornadoDevices.handle(device));
            if (options.measured()) plan.withProfiler(ProfilerMode.SILENT);
            long planned = System.nanoTime();
            options.listener().chosen(source.ops(), source.calls());
            for (int g = 0; g < graphs; g++) {
                compile(g, device);
                options.listener().compiling(cuts.get(g + 1), program.tasks().size());
            }
            options.listener()
                    .compiled(new DeviceListener.Ready(
                            program.tasks().size(),
                            graphs,
                            program.weightBytes(),
                            program.workingBytes(),
                            program.trafficBytes(),
                            planned - start,
                            System.nanoTime() - planned));
        } catch (RuntimeException | Error e) {
            release();
            ends.close();
            throw e;
        }
    }

    private void compile(int g, Device device) {
        try {
            precompile(g);
        } catch (RuntimeException | Error e) {
            // TornadoVM's first line names the task and the kernel; long stack traces follow.
            String message = String.valueOf(e.getMessage())
                    .replaceAll("\\u001B\\[[0-9;]*m", "")
                    .replaceAll("(?s)Stacktrace:.*", "")
                    .strip()
                    .replaceAll("\\s+", " ");
            throw new UnsupportedOperationException(
                    "TornadoVM cannot compile a kernel for " + device + ": " + message, e);
        }
    }

    /** TornadoVM prints notes to the standard output, where a program's results may go: here they go to the standard error. */
    private void precompile(int g) {
        synchronized (TornadoProgram.class) {
            PrintStream out = System.out;
            System.setOut(System.err);
            try {
                select(g).withPreCompilation();
            } finally {
                System.setOut(out);
            }
        }
    }

    DeviceProgram program() {
        return program;
    }

    TornadoBackend.Options options() {
        return options;
    }

    /** The last graph that uses each array. */
    private Map<Integer, Integer> lastUse(List<Integer> cuts) {
        Map<Integer, Integer> last = new HashMap<>();
        for (int g = 0; g < cuts.size() - 1; g++)
            for (Task task : program.tasks().subList(cuts.get(g), cuts.get(g + 1)))
                for (int index : task.arrayIndices()) last.put(index, g);
        return last;
    }

    /**
     * Builds a task graph. A task graph can take over arrays only from its predecessor, so it also takes those that only later ones use.
     *
     * @param onDevice the arrays that the previous graph passes on; updated for the next one
     * @param last the last graph that uses each array
     */
    private TaskGraph graph(int g, List<Task> tasks, Set<Integer> onDevice, Map<Integer, Integer> last) {
        TaskGraph graph = new TaskGraph(name(g));
        Arena arena = Arena.ofShared();
        arenas.add(arena);
        for (int index : onDevice) graph.consumeFromDevice(name(g - 1), arrays[index]);
        Set<Integer> used = new TreeSet<>();
        for (Task task : tasks) used.addAll(task.arrayIndices());
        List<Integer> uploaded = new ArrayList<>();
        Set<Integer> inputs = new HashSet<>(program.inputs());
        for (int index : used) {
            if (!onDevice.add(index)) continue;
            if (inputs.contains(index)) graph.transferToDevice(DataTransferMode.EVERY_EXECUTION, arrays[index]);
            else {
                if (arrays[index] == null)
                    arrays[index] = allocate(program.arrays().get(index), arena);
                graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, arrays[index]);
                uploaded.add(index);
            }
        }
        KernelContext context = new KernelContext();
        GridScheduler grid = new GridScheduler();
        for (int t = 0; t < tasks.size(); t++) {
            Task task = tasks.get(t);
            List<Object> arguments = new ArrayList<>();
            if (task.group() > 0) {
                arguments.add(context);
                grid.addWorkerGrid(name(g) + "." + task(t), threads(task.range(), task.group()));
            } else if (!(task.kernel() instanceof VendorCall)) {
                arguments.addAll(List.of(0, task.range()));
                // The number of threads has to be that of iterations: TornadoVM ends the loop there.
                if (limitsGroups)
                    grid.addWorkerGrid(
                            name(g) + "." + task(t), threads(task.range(), Math.min(task.range(), LOOP_GROUP)));
            }
            for (Object argument : task.arguments())
                arguments.add(argument instanceof ArrayRef ref ? arrays[ref.array()] : argument);
            if (task.kernel() instanceof VendorCall call) graph.libraryTask(task(t), call::with, arguments.toArray());
            else TornadoTasks.add(graph, task(t), task.kernel(), arguments.toArray());
        }
        // An output has its own array, so the first graph that uses it computes it. Arrays are not marked as
        // persistent: those that were
        // uploaded or taken over persist anyway, and TornadoVM would free the others once per graph.
        for (int index : uploaded)
            if (program.outputs().contains(index))
                graph.transferToHost(DataTransferMode.EVERY_EXECUTION, arrays[index]);
        onDevice.removeIf(index -> last.get(index) == g);
        uploads.add(uploaded);
        grids.add(grid);
        return graph;
    }

    private static WorkerGrid1D threads(int count, int group) {
        WorkerGrid1D threads = new WorkerGrid1D(count);
        threads.setLocalWork(group, 1, 1);
        return threads;
    }

    private TornadoExecutionPlan select(int g) {
        plan.withGraph(g);
        return grids.get(g).keySet().isEmpty() ? plan : plan.withGridScheduler(grids.get(g));
    }

    private static String name(int graph) {
        return "gyre" + graph;
    }

    private static String task(int number) {
        return "t" + number;
    }

    private static Object allocate(Array array, Arena arena) {
        MemorySegment segment = arena.allocate(TornadoNativeArray.ARRAY_HEADER + array.bytes(), 64);
        return switch (array.type()) {
            case F32 -> FloatArray.fromSegmentShallow(segment);
            case F16 -> HalfFloatArray.fromSegmentShallow(segment);
            case I32 -> IntArray.fromSegmentShallow(segment);
            default -> throw new IllegalStateException("kernels do not support arrays of " + array.type());
        };
    }

    private MemorySegment data(int index) {
        return ((TornadoNativeArray) arrays[index]).getSegment();
    }

    /** Whether a run failed; the state of device memory is then undefined. */
    synchronized boolean failed() {
        return failed;
    }

    synchronized List<Tensor> run(Tensor... inputs) {
        if (failed) throw new IllegalStateException("an earlier run of this graph failed on the device");
        failed = true; // until the run succeeds
        for (int i = 0; i < inputs.length; i++) data(program.inputs().get(i)).copyFrom(inputs[i].data());
        long start = System.nanoTime(), kernels = 0, compiling = 0, in = 0, out = 0, uploaded = 0;
        for (int g = 0; g < graphs; g++) {
            if (!ready) uploaded += fill(g);
            long launched = System.nanoTime();
            TornadoExecutionResult result = select(g).execute();
            if (!ready) options.listener().uploading(uploaded, program.weightBytes());
            if (!ready && releases) arenas.get(g).close();
            if (options.measured()) {
                TornadoProfilerResult profile = result.getProfilerResult();
                kernels += profile.getDeviceKernelTime();
                compiling += profile.getCompileTime();
                in += profile.getTotalBytesCopyIn();
                out += profile.getTotalBytesCopyOut();
                tell(g, launched, profile.getProfileLog());
            }
        }
        ready = true;
        failed = false;
        if (options.measured())
            options.listener()
                    .ran(new DeviceListener.Run(
                            System.nanoTime() - start,
                            kernels,
                            compiling,
                            in,
                            out,
                            program.tasks().size()));
        List<Tensor> outputs = new ArrayList<>();
        for (int index : program.outputs()) {
            Array array = program.arrays().get(index);
            MemorySegment heap = array.type() == DType.I32
                    ? MemorySegment.ofArray(new int[array.elements()])
                    : MemorySegment.ofArray(new float[array.elements()]);
            heap.copyFrom(data(index));
            outputs.add(new Tensor(array.type(), Shape.of(array.elements()), heap));
        }
        return outputs;
    }

    /** Reports the times of a graph's ops to the profiler, from TornadoVM's log, which ends with the last run. */
    private void tell(int g, long launched, String log) {
        Map<Integer, Long> tasks = new HashMap<>();
        Matcher times = TASK_TIME.matcher(log);
        while (times.find())
            if (Integer.parseInt(times.group(1)) == g)
                tasks.put(cuts.get(g) + Integer.parseInt(times.group(2)), Long.parseLong(times.group(3)));
        Map<Op, Long> sums = new LinkedHashMap<>();
        for (int task = cuts.get(g); task < cuts.get(g + 1); task++)
            sums.merge(ops.get(task), tasks.getOrDefault(task, 0L), Long::sum);
        long at = launched;
        for (Map.Entry<Op, Long> sum : sums.entrySet()) {
            options.profiler().ran(sum.getKey(), at, sum.getValue());
            at += sum.getValue();
        }
    }

    /** Fills the weights that graph {@code g} uploads; returns their size in bytes. */
    private long fill(int g) {
        long bytes = 0;
        for (int index : uploads.get(g)) {
            Array array = program.arrays().get(index);
            if (array.weight() == null) continue;
            array.weight().fill(arrays[index]);
            bytes += array.bytes();
        }
        return bytes;
    }

    private void release() {
        for (Arena arena : arenas) if (arena.scope().isAlive()) arena.close();
    }

    @Override
    public synchronized void close() {
        plan.withAllGraphs().freeDeviceMemory();
        try {
            plan.close();
        } catch (TornadoExecutionPlanException e) {
            throw new IllegalStateException("TornadoVM could not free its execution plan", e);
        } finally {
            release();
            ends.close();
        }
    }
}
