package dev.gyre.bench;

import dev.gyre.core.DType;
import dev.gyre.core.Executable;
import dev.gyre.core.Graph;
import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.core.tornado.Device;
import dev.gyre.core.tornado.DeviceListener;
import dev.gyre.core.tornado.TornadoBackend;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.vectors.Float16;

/**
 * What a device does at most, by loops that do nothing else: what a model's figures on it are to be held against.
 *
 * @param gflops multiply-adds in registers, each two operations, in 10⁹ a second
 * @param gigabytes read and written by a copy of arrays that no cache holds, in 10⁹ bytes a second
 * @param launch seconds that a task takes which does nothing, among many in one run
 */
public record DeviceLimits(double gflops, double gigabytes, double launch) {
    /** Steps of a thread, each a multiply-add of 64 floats. */
    private static final int STEPS = 1024;

    /** Threads for each of the device's units. */
    private static final int THREADS = 2048;

    /** Floats of an array that is copied, where the device's memory allows. */
    private static final int FLOATS = 1 << 25;

    /** Tasks that do nothing. */
    private static final int TASKS = 64;

    private static final int RUNS = 50;

    /** The best of many short runs, after a first one that is not counted: what else the machine does falls between them. */
    public static DeviceLimits measure(TornadoBackend.Options options) {
        Device device;
        try (TornadoBackend backend = new TornadoBackend(options)) {
            device = backend.device();
        }
        int threads = device.units() * THREADS;
        Graph products = new Graph();
        Value seed = products.input("seed", DType.F32, 1);
        Loop all = add(seed, threads, y -> Kernel.call(threads, DeviceLimits::multiplyAdds, STEPS, seed, y));
        products.output(all.y);

        int floats = (int) Math.min(FLOATS, Math.min(device.largestBuffer() / 4, device.memory() / 32));
        Graph copies = new Graph();
        Value first = copies.input("first", DType.F32, 1);
        Value from = add(first, floats, y -> Kernel.call(floats, DeviceLimits::spread, first, y)).y;
        Loop copy = add(from, floats, y -> Kernel.call(floats, DeviceLimits::copy, from, y));
        copies.output(add(copy.y, 1, y -> Kernel.call(1, DeviceLimits::copy, copy.y, y)).y);

        return new DeviceLimits(
                2.0 * 64 * STEPS * threads / kernel(options, products, all),
                8.0 * floats / kernel(options, copies, copy),
                launch(options));
    }

    /** The shortest time of an op's kernel, in nanoseconds. */
    private static double kernel(TornadoBackend.Options options, Graph graph, Op op) {
        AtomicLong least = new AtomicLong(Long.MAX_VALUE);
        TornadoBackend.Options measured = options.measured(DeviceListener.NONE, (ran, start, nanos) -> {
            if (ran == op && nanos > 0) least.accumulateAndGet(nanos, Math::min);
        });
        runs(measured, graph);
        return least.get();
    }

    private static double launch(TornadoBackend.Options options) {
        Graph graph = new Graph();
        Value value = graph.input("x", DType.F32, 1);
        for (int i = 0; i < TASKS; i++) {
            Value x = value;
            value = add(x, 1, y -> Kernel.call(1, DeviceLimits::copy, x, y)).y;
        }
        graph.output(value);
        return runs(options, graph) / TASKS;
    }

    /** The shortest run, in seconds. */
    private static double runs(TornadoBackend.Options options, Graph graph) {
        try (TornadoBackend backend = new TornadoBackend(options);
                Executable executable = backend.compile(graph)) {
            double best = Double.POSITIVE_INFINITY;
            for (int i = 0; i <= RUNS; i++) {
                long start = System.nanoTime();
                executable.run(Tensor.of(new float[] {1}, 1));
                if (i > 0) best = Math.min(best, (System.nanoTime() - start) / 1e9);
            }
            return best;
        }
    }

    private static Loop add(Value x, int elements, Function<Value, KernelCall> step) {
        Value y = x.graph().value("y", DType.F32, elements);
        Loop loop = new Loop(x, y, step.apply(y));
        x.graph().add(loop);
        return loop;
    }

    private record Loop(Value x, Value y, KernelCall step) implements Op {
        @Override
        public List<Value> inputs() {
            return List.of(x);
        }

        @Override
        public Value output() {
            return y;
        }

        @Override
        public List<KernelCall> loops() {
            return List.of(step);
        }
    }

    /** 4 chains of 16 floats: what one waits for, the others fill. */
    public static void multiplyAdds(int begin, int count, int steps, FloatArray x, FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            float v = x.get(0) * 0.5f, w = v * (begin + k);
            Float16 by = new Float16(v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v);
            Float16 a = new Float16(w, v, w, v, w, v, w, v, w, v, w, v, w, v, w, v);
            Float16 b = Float16.mult(a, 2f), c = Float16.mult(a, 3f), d = Float16.mult(a, 4f);
            for (int i = 0; i < steps; i++) {
                a = Float16.add(Float16.mult(a, by), by);
                b = Float16.add(Float16.mult(b, by), by);
                c = Float16.add(Float16.mult(c, by), by);
                d = Float16.add(Float16.mult(d, by), by);
            }
            Float16 all = Float16.add(Float16.add(a, b), Float16.add(c, d));
            float sum = all.getS0() + all.getS1() + all.getS2() + all.getS3() + all.getS4() + all.getS5();
            sum += all.getS6() + all.getS7() + all.getS8() + all.getS9() + all.getS10() + all.getS11();
            y.set(begin + k, sum + all.getS12() + all.getS13() + all.getS14() + all.getS15());
        }
    }

    /** y = x₀ · i. */
    public static void spread(int begin, int count, FloatArray x, FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) y.set(begin + k, x.get(0) * (begin + k));
    }

    /** y = x. */
    public static void copy(int begin, int count, FloatArray x, FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) y.set(begin + k, x.get(begin + k));
    }
}
