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
 * Runs graphs on a device through TornadoVM. Kernels are compiled with the graph; weights are uploaded with its first
 * run and stay on the device, so that later runs transfer only inputs and outputs. A closed executable's kernels and
 * weights stay until the memory is needed or the backend is closed: the next equal graph on the same weights reuses
 * them. Kernels never fall back to plain Java.
 *
 * <p>Start Java with TornadoVM: {@code java @$TORNADOVM_HOME/tornado-argfile …}.
 */
public final class TornadoBackend implements Backend {
    /**
     * How to run.
     *
     * @param device a {@link Device#id}; empty for the default device
     * @param target which kernels to run; empty for those that suit the device
     * @param measured whether the listener and the profiler receive every run, which costs some time
     * @param listener receives the progress of compilation and uploads
     * @param profiler receives the time of each op's kernels, if runs are measured
     */
    public record Options(
            Optional<String> device,
            Optional<Target> target,
            boolean measured,
            DeviceListener listener,
            Profiler profiler) {
        /** The default device, the kernels that suit it, no measurements. */
        public static final Options DEFAULT =
                new Options(Optional.empty(), Optional.empty(), false, DeviceListener.NONE, Profiler.NONE);

        /** On this device, by its {@link Device#id}. */
        public Options device(String id) {
            return new Options(Optional.of(id), target, measured, listener, profiler);
        }

        /** With these kernels, whether or not they suit the device. */
        public Options target(Target target) {
            return new Options(device, Optional.of(target), measured, listener, profiler);
        }

        /** With a listener and a profiler for every run. */
        public Options measured(DeviceListener listener, Profiler profiler) {
            return new Options(device, target, true, listener, profiler);
        }

        /** With a listener for compilation and uploads, not for runs. */
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
     * On the default device.
     *
     * @throws UnsupportedOperationException when TornadoVM is not on this JVM
     */
    public TornadoBackend() {
        this(Options.DEFAULT);
    }

    /**
     * @throws UnsupportedOperationException when TornadoVM is not on this JVM
     * @throws IllegalArgumentException when there is no such device, listing the devices, or it does not support the
     *     target
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
     * All devices that TornadoVM finds.
     *
     * @throws UnsupportedOperationException when TornadoVM is not on this JVM
     */
    public static List<Device> devices() {
        TornadoDevices.require();
        return TornadoDevices.all();
    }

    @Override
    public String name() {
        return "tornado";
    }

    /** The device. */
    public Device device() {
        return device;
    }

    /** As manifests show it: {@code tornado, } and the device. */
    @Override
    public String toString() {
        return name() + ", " + device;
    }

    /** The target of its kernels. */
    public Target target() {
        return target;
    }

    /** Executables that are not closed yet. */
    public synchronized int openExecutables() {
        return open;
    }

    /** Bytes of device memory that this backend holds, including those of closed executables. */
    public synchronized long deviceBytes() {
        return used;
    }

    /**
     * Compiles the graph's kernels for the device, at about 50 ms each.
     *
     * @throws IllegalArgumentException when the device's memory is too small, saying what would help
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
