package dev.gyre.core.tornado;

import dev.gyre.core.Backend;
import dev.gyre.core.Executable;
import dev.gyre.core.Graph;
import dev.gyre.core.Observer;
import dev.gyre.core.Profiler;
import dev.gyre.core.Target;
import dev.gyre.core.plan.ObservedValues;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * Runs graphs on a device through TornadoVM. Kernels are compiled with the graph, weights are uploaded with its first run and stay on the
 * device; later runs transfer only inputs and outputs. A closed executable's kernels and weights stay on the device, for the next equal
 * graph with the same weights, until the memory is needed or the backend is closed. There is no fallback to plain Java.
 *
 * <p>Java must be started with TornadoVM: {@code java @$TORNADOVM_HOME/tornado-argfile …}.
 */
public final class TornadoBackend implements Backend {
    /**
     * How to run graphs.
     *
     * @param device a {@link Device#id}; empty for the first GPU (an NVIDIA GPU through CUDA, then PTX, then OpenCL), or else the first device
     * @param target the kernels to run; empty for those that suit the device
     * @param measured whether to measure every run for the listener and the profiler, which costs some time
     * @param listener receives the progress of compilation and uploads, and measured runs
     * @param profiler receives the time in each op's kernels, if measured
     */
    public record Options(
            Optional<String> device,
            Optional<Target> target,
            boolean measured,
            DeviceListener listener,
            Profiler profiler) {
        /** The default device, the kernels that suit it, no measurement. */
        public static final Options DEFAULT =
                new Options(Optional.empty(), Optional.empty(), false, DeviceListener.NONE, Profiler.NONE);

        /** On the device with this {@link Device#id}. */
        public Options device(String id) {
            return new Options(Optional.of(id), target, measured, listener, profiler);
        }

        /** With these kernels. */
        public Options target(Target target) {
            return new Options(device, Optional.of(target), measured, listener, profiler);
        }

        /** With every run measured for this listener and this profiler. */
        public Options measured(DeviceListener listener, Profiler profiler) {
            return new Options(device, target, true, listener, profiler);
        }

        /** With this listener, without changing whether runs are measured. */
        public Options listener(DeviceListener listener) {
            return new Options(device, target, measured, listener, profiler);
        }
    }

    private final Options options;
    private final Device device;
    private final Target target;
    private final List<TornadoProgram> parked = new ArrayList<>();
    private int open;
    private long used; // bytes on the device
    private boolean closed;

    /**
     * A backend with {@link Options#DEFAULT}.
     *
     * @throws UnsupportedOperationException when this JVM was started without TornadoVM or TornadoVM finds no device
     */
    public TornadoBackend() {
        this(Options.DEFAULT);
    }

    /**
     * A backend with these options.
     *
     * @throws UnsupportedOperationException when this JVM was started without TornadoVM or TornadoVM finds no device
     * @throws IllegalArgumentException when there is no such device, or it cannot run these kernels; the message lists the devices or says why
     */
    public TornadoBackend(Options options) {
        TornadoDevices.require();
        this.options = options;
        device = options.device().map(TornadoDevices::named).orElseGet(TornadoDevices::standard);
        target = options.target().orElseGet(device::target);
        device.refusal(target).ifPresent(problem -> {
            throw new IllegalArgumentException(problem);
        });
    }

    /** Whether this JVM was started with TornadoVM. */
    public static boolean isAvailable() {
        return TornadoDevices.available();
    }

    /**
     * All of TornadoVM's devices.
     *
     * @throws UnsupportedOperationException when this JVM was started without TornadoVM
     */
    public static List<Device> devices() {
        TornadoDevices.require();
        return TornadoDevices.all();
    }

    @Override
    public String name() {
        return "tornado";
    }

    /** The device that it runs on. */
    public Device device() {
        return device;
    }

    /** For example {@code tornado, 0:0 NVIDIA H200 (PTX)}. */
    @Override
    public String toString() {
        return name() + ", " + device;
    }

    /** The kernels that it runs. */
    public Target target() {
        return target;
    }

    /** The number of executables that are not closed. */
    public synchronized int openExecutables() {
        return open;
    }

    /** Device memory that this backend holds, in bytes, including that of closed executables. */
    public synchronized long deviceBytes() {
        return used;
    }

    /**
     * Compiles the graph's kernels for the device, which takes about 50 ms per kernel.
     *
     * @throws IllegalArgumentException when the graph does not fit the device's memory; the message suggests a remedy
     */
    @Override
    public synchronized Executable compile(Graph graph, Observer observer) {
        if (closed) throw new IllegalStateException("this backend is closed");
        ObservedValues observed = ObservedValues.of(graph, observer);
        DeviceProgram.Source source = DeviceProgram.of(graph.returning(observed.values()), target);
        DeviceProgram program = source.program();
        program.check(device);
        TornadoProgram found = reuse(program);
        if (found == null) {
            long bytes = program.weightBytes() + program.workingBytes();
            while (used + bytes > device.memory() && !parked.isEmpty()) free(parked.removeFirst());
            found = new TornadoProgram(source, device, options);
            used += bytes;
        }
        open++;
        return new TornadoExecutable(graph, found, this, observed);
    }

    @Override
    public long plan(Graph graph) {
        return DeviceProgram.of(graph, target).program().workingBytes();
    }

    @Override
    public synchronized void release(MemorySegment.Scope owner) {
        for (Iterator<TornadoProgram> all = parked.iterator(); all.hasNext(); ) {
            TornadoProgram one = all.next();
            if (!one.program().reads(owner)) continue;
            all.remove();
            free(one);
        }
    }

    private TornadoProgram reuse(DeviceProgram program) {
        for (Iterator<TornadoProgram> all = parked.iterator(); all.hasNext(); ) {
            TornadoProgram one = all.next();
            if (!one.program().alive()) {
                all.remove();
                free(one);
            } else if (one.program().equals(program)) {
                all.remove();
                return one;
            }
        }
        return null;
    }

    private void free(TornadoProgram program) {
        used -= program.program().weightBytes() + program.program().workingBytes();
        program.close();
    }

    synchronized void closed(TornadoProgram program) {
        open--;
        if (closed || program.failed()) free(program);
        else parked.add(program);
    }

    @Override
    public synchronized void close() {
        closed = true;
        for (TornadoProgram program : parked) free(program);
        parked.clear();
    }
}
