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

/** A graph on the JVM: planned buffers and the kernels of each op. */
final class JvmExecutable implements Executable, JvmMemory {
    /** A cache line, which is also the widest vector. */
    private static final int ALIGNMENT = 64;

    /** Iterations of a definition that are worth a thread. */
    private static final int GRAIN = 8;

    /** Weights up to this size in bytes are copied whole. */
    private static final int SMALL = 1 << 16;

    /** An op with its kernels, and whether the observer wants it. */
    private record Program(Op op, List<JvmKernel> kernels, boolean seen) {}

    private final Graph graph;
    private final JvmBackend backend;
    private final Observer observer;
    private final Scratch scratch = new Scratch();
    private final Arena arena = Arena.ofShared();
    private final MemoryPlanner.Plan plan;
    private final List<MemorySegment> buffers = new ArrayList<>(); // each after TornadoVM's array header
    private final Map<Value, FloatArray> widened = new IdentityHashMap<>();
    private final List<Program> program = new ArrayList<>();
    private boolean closed;

    JvmExecutable(Graph given, JvmBackend backend, Observer observer) {
        Set<Op> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Op op : given.ops()) if (observer.wants(op)) seen.add(op);
        JvmPlan jvmPlan = JvmPlan.of(given, backend, seen::contains);
        this.observer = observer;
        this.graph = jvmPlan.graph();
        this.plan = jvmPlan.memory();
        this.backend = backend;
        try {
            for (long bytes : plan.buffers()) buffers.add(allocate(bytes));
            for (Op op : graph.ops())
                program.add(new Program(
                        op,
                        jvmPlan.kernels().containsKey(op)
                                ? List.of(jvmPlan.kernels().get(op))
                                : jvmPlan.loops().get(op).stream()
                                        .map(this::loop)
                                        .toList(),
                        seen.contains(op)));
            List<JvmKernel> all =
                    program.stream().flatMap(part -> part.kernels().stream()).toList();
            backend.workers().run(all.size(), (piece, unused) -> all.get(piece).prepare(this));
            dropResidentPages();
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    private MemorySegment allocate(long bytes) {
        long header = TornadoNativeArray.ARRAY_HEADER;
        long offset = (header + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        return arena.allocate(offset + bytes, ALIGNMENT).asSlice(offset - header, header + bytes);
    }

    private JvmKernel loop(KernelCall step) {
        Object[] arguments = step.bind(this::array, this::panels);
        return (memory, workers) ->
                workers.range(step.range(), GRAIN, (begin, count) -> step.call(begin, count, arguments));
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
     * A small weight is read in every run, from a copy: reading it from a mapped file would load the pages around it,
     * whose weights are packed already.
     */
    private Tensor constant(Tensor weight) {
        if (!weight.data().isMapped() || weight.data().byteSize() > SMALL) return weight;
        return backend.packed().of(weight, "copy", (tensor, allocate) -> {
            Tensor copy = allocate.apply(tensor.dtype(), tensor.shape());
            copy.data().copyFrom(tensor.data());
            return copy;
        });
    }

    /** After packing, copies the small weights and drops the mapped files' resident pages. */
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
        graph.checkInputs(inputs);
        Profiler profiler = backend.options().profiler();
        RunEvent event = new RunEvent();
        event.begin();
        long begin = System.nanoTime();
        for (int i = 0; i < inputs.length; i++) at(graph.inputs().get(i)).data().copyFrom(inputs[i].data());
        for (Program part : program) {
            run(part, profiler);
            if (part.seen()) observer.made(part.op(), this::at);
        }
        List<Tensor> outputs = new ArrayList<>();
        for (Value output : graph.outputs()) outputs.add(copy(at(output)));
        profiler.ran(graph, begin, System.nanoTime() - begin);
        event.ran(graph);
        return outputs;
    }

    private void run(Program part, Profiler profiler) {
        OpEvent event = new OpEvent();
        event.begin();
        long start = System.nanoTime();
        for (JvmKernel kernel : part.kernels()) kernel.run(this, backend.workers());
        profiler.ran(part.op(), start, System.nanoTime() - start);
        event.ran(part.op());
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
