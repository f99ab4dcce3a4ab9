package dev.gyre.core.jvm;

import dev.gyre.core.DType;
import dev.gyre.core.DevicePanels;
import dev.gyre.core.Executable;
import dev.gyre.core.Graph;
import dev.gyre.core.JvmKernel;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Observer;
import dev.gyre.core.Op;
import dev.gyre.core.Profiler;
import dev.gyre.core.Scratch;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.core.plan.GraphInputs;
import dev.gyre.core.plan.KernelArrays;
import dev.gyre.core.plan.MemoryPlanner;
import dev.gyre.core.profile.OpEvent;
import dev.gyre.core.profile.RunEvent;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/** A graph compiled for the JVM: its buffers and, for each op, its kernels. */
final class JvmExecutable implements Executable, JvmMemory {
    /** Alignment of buffers in bytes: a cache line, and the widest vector. */
    private static final int ALIGNMENT = 64;

    /** The least iterations of a parallel loop per piece. */
    private static final int GRAIN = 8;

    /** The largest weight, in bytes, that is copied out of a mapped file. */
    private static final int SMALL = 1 << 16;

    /** An op, its kernel or one loop per kernel call, and whether it is observed. */
    private record Step(Op op, List<JvmKernel> kernels, boolean observed) {}

    private final Graph graph;
    private final JvmBackend backend;
    private final Observer observer;
    private final Scratch scratch = new Scratch();
    private final Arena arena = Arena.ofShared();
    private final MemoryPlanner.Plan plan;
    private final List<MemorySegment> buffers = new ArrayList<>(); // each preceded by TornadoVM's array header
    private final Map<Value, FloatArray> widened = new IdentityHashMap<>();
    private final List<Step> steps = new ArrayList<>();
    private boolean closed;

    JvmExecutable(Graph given, JvmBackend backend, Observer observer) {
        Set<Op> observed = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Op op : given.ops()) if (observer.wants(op)) observed.add(op);
        JvmPlan compiled = JvmPlan.of(given, backend, observed::contains);
        this.observer = observer;
        this.graph = compiled.graph();
        this.plan = compiled.memory();
        this.backend = backend;
        try {
            for (long bytes : plan.buffers()) buffers.add(allocate(bytes));
            for (Op op : graph.ops())
                steps.add(new Step(
                        op,
                        compiled.kernels().containsKey(op)
                                ? List.of(compiled.kernels().get(op))
                                : compiled.loops().get(op).stream()
                                        .map(this::loop)
                                        .toList(),
                        observed.contains(op)));
            List<JvmKernel> all =
                    steps.stream().flatMap(step -> step.kernels().stream()).toList();
            backend.workers().run(all.size(), (piece, unused) -> all.get(piece).prepare(this));
            dropResidentPages();
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    private MemorySegment allocate(long bytes) {
        long header = TornadoNativeArray.ARRAY_HEADER;
        long front = (header + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        return arena.allocate(front + bytes, ALIGNMENT).asSlice(front - header, header + bytes);
    }

    private JvmKernel loop(KernelCall call) {
        Object[] arguments = call.bind(this::array, this::panels);
        return (memory, workers) ->
                workers.range(call.range(), GRAIN, (begin, count) -> call.call(begin, count, arguments));
    }

    private Object array(Value value) {
        if (value.constant().isPresent()) return widened.computeIfAbsent(value.storage(), this::widen);
        MemorySegment buffer = buffers.get(plan.bufferOf(value));
        return value.dtype() == DType.I32 ? IntArray.fromSegmentShallow(buffer) : FloatArray.fromSegmentShallow(buffer);
    }

    private Object panels(DevicePanels weight) {
        MemorySegment buffer = allocate((long) weight.elements() * (weight.f16() ? Short.BYTES : Float.BYTES));
        Object array = weight.f16() ? HalfFloatArray.fromSegmentShallow(buffer) : FloatArray.fromSegmentShallow(buffer);
        weight.fill(array);
        return array;
    }

    private FloatArray widen(Value constant) {
        Tensor tensor = constant.constant().orElseThrow();
        MemorySegment buffer = allocate((long) tensor.shape().elements() * Float.BYTES);
        FloatArray array = FloatArray.fromSegmentShallow(buffer);
        KernelArrays.fill(tensor, array);
        return array;
    }

    @Override
    public Tensor at(Value value) {
        if (value.constant().isPresent()) return constant(value.constant().get());
        MemorySegment data = buffers.get(plan.bufferOf(value))
                .asSlice(
                        TornadoNativeArray.ARRAY_HEADER,
                        value.dtype().bytes(value.shape().elements()));
        return new Tensor(value.dtype(), value.shape(), data);
    }

    /**
     * Copies a small weight out of a mapped file. Reading it from the file in every run would make the pages around it resident, and those
     * belong to weights that are packed already.
     */
    private Tensor constant(Tensor weight) {
        if (!weight.data().isMapped() || weight.data().byteSize() > SMALL) return weight;
        return backend.packed().of(weight, "stored", (tensor, allocate) -> {
            Tensor copy = allocate.apply(tensor.dtype(), tensor.shape());
            copy.data().copyFrom(tensor.data());
            return copy;
        });
    }

    /** Copies the small weights. Now all weights are packed or copied, so drop the mapped file's resident pages. */
    private void dropResidentPages() {
        List<Value> weights = graph.ops().stream()
                .flatMap(op -> op.inputs().stream())
                .filter(value -> value.constant().isPresent())
                .toList();
        weights.forEach(this::at);
        weights.stream()
                .map(value -> value.constant().orElseThrow().data())
                .filter(MemorySegment::isMapped)
                .forEach(MemorySegment::unload);
    }

    @Override
    public Optional<Tensor> packed(Value weight, String order, Packing packing) {
        return backend.options().lowMemory() || weight.dtype() == DType.Q8_0
                ? Optional.empty()
                : Optional.of(backend.packed().of(weight.constant().orElseThrow(), order, packing));
    }

    @Override
    public Scratch scratch() {
        return scratch;
    }

    @Override
    public synchronized List<Tensor> run(Tensor... inputs) {
        if (closed) throw new IllegalStateException("this executable is closed");
        GraphInputs.check(graph, inputs);
        Profiler profiler = backend.options().profiler();
        RunEvent event = new RunEvent();
        event.begin();
        long begin = System.nanoTime();
        for (int i = 0; i < inputs.length; i++) at(graph.inputs().get(i)).data().copyFrom(inputs[i].data());
        for (Step step : steps) {
            run(step, profiler);
            if (step.observed()) observer.made(step.op(), this::at);
        }
        List<Tensor> outputs = new ArrayList<>();
        for (Value output : graph.outputs()) outputs.add(copy(at(output)));
        profiler.ran(graph, begin, System.nanoTime() - begin);
        event.ran(graph);
        return outputs;
    }

    private void run(Step step, Profiler profiler) {
        OpEvent event = new OpEvent();
        event.begin();
        long start = System.nanoTime();
        for (JvmKernel kernel : step.kernels()) kernel.run(this, backend.workers());
        profiler.ran(step.op(), start, System.nanoTime() - start);
        event.ran(step.op());
    }

    /** A copy in a Java array, which the garbage collector owns. */
    private static Tensor copy(Tensor tensor) {
        int n = tensor.shape().elements();
        MemorySegment heap =
                tensor.dtype() == DType.I32 ? MemorySegment.ofArray(new int[n]) : MemorySegment.ofArray(new float[n]);
        heap.copyFrom(tensor.data());
        return new Tensor(tensor.dtype(), tensor.shape(), heap);
    }

    @Override
    public long peakBytes() {
        return plan.peakBytes();
    }

    @Override
    public synchronized void close() {
        if (closed) return;
        closed = true;
        arena.close();
        backend.closed(this);
    }
}
