package dev.gyre.nn.check;

import dev.gyre.core.DType;
import dev.gyre.core.Executable;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Target;
import dev.gyre.core.Tensor;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.core.tornado.DeviceListener;
import dev.gyre.core.tornado.TornadoBackend;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Holds every kernel against its plain loops on a device, over the table of cases that the tests use: drivers and compilers have been
 * wrong without a word.
 */
public final class DeviceCheck {
    /** What a sum may lose, of the largest number that came out. */
    private static final double TOLERANCE = 4e-6;

    /** Likewise on tensor cores, which cut sums off where others round them, and of libraries, which take ways of their own. */
    private static final double REDUCED_TOLERANCE = 4e-5;

    private DeviceCheck() {}

    /**
     * One case on the device.
     *
     * @param name op and sizes
     * @param kernels the kernels that ran, in their order
     * @param error the largest difference from the loops, as a part of the largest number; not finite when it did not run
     * @param millis time of the second run
     * @param problem what it died of; empty when it ran
     * @param tolerance the largest error that rounding explains
     */
    public record Row(
            String name, List<String> kernels, double error, double millis, String problem, double tolerance) {
        /** Whether it ran, and differs no more than rounding explains. */
        public boolean passed() {
            return problem.isEmpty() && error <= tolerance;
        }
    }

    /** The names of all cases. */
    public static List<String> cases() {
        return OpCases.cases().map(OpCase::name).toList();
    }

    /**
     * Runs cases.
     *
     * @param options which device and which kernels
     * @param which the names of those that are run
     * @param heard hears of each row when it is done
     */
    public static List<Row> run(TornadoBackend.Options options, Predicate<String> which, Consumer<Row> heard) {
        List<Row> rows = new ArrayList<>();
        List<String> kernels = new ArrayList<>();
        DeviceListener listener = new DeviceListener() {
            @Override
            public void chosen(List<Op> ops, List<KernelCall> steps) {
                steps.forEach(step -> kernels.add(step.name()));
            }
        };
        try (TornadoBackend backend = new TornadoBackend(options.listener(listener))) {
            for (OpCase one :
                    OpCases.cases().filter(one -> which.test(one.name())).toList()) {
                kernels.clear();
                Row row = run(one, backend, kernels);
                rows.add(row);
                heard.accept(row);
            }
        }
        return rows;
    }

    private static Row run(OpCase one, TornadoBackend backend, List<String> kernels) {
        Map<String, Tensor> weights = one.makeWeights();
        Tensor[] inputs = one.makeInputs().toArray(Tensor[]::new);
        // Tensor cores get rounded numbers, by Gyre's kernels or a library. Of what is rounded already they make what
        // others do.
        boolean rounds = backend.target().kernels().compareTo(Target.KernelKind.TENSOR_CORE) >= 0;
        if (rounds) {
            weights.replaceAll((key, weight) -> weight.dtype() == DType.F16 ? weight : rounded(weight));
            Arrays.setAll(inputs, i -> rounded(inputs[i]));
        }
        double tolerance = rounds ? REDUCED_TOLERANCE : TOLERANCE;
        float[] expected;
        try (JvmBackend jvm = JvmBackend.ofDefinitions();
                Executable executable = jvm.compile(one.graph(weights))) {
            expected = executable.run(inputs).get(0).floats();
        }
        // A device may fail in any way that TornadoVM or its driver thinks of.
        try (Executable executable = backend.compile(one.graph(weights))) {
            executable.run(inputs);
            long start = System.nanoTime();
            float[] actual = executable.run(inputs).get(0).floats();
            double millis = (System.nanoTime() - start) / 1e6;
            return new Row(one.name(), List.copyOf(kernels), difference(expected, actual), millis, "", tolerance);
        } catch (RuntimeException | Error e) {
            String problem = String.valueOf(e.getMessage()).strip().replaceAll("\\s+", " ");
            if (problem.isEmpty()) problem = e.toString();
            return new Row(one.name(), List.copyOf(kernels), Double.NaN, 0, problem, tolerance);
        }
    }

    /** The nearest numbers of 16 bits, in 32. */
    static Tensor rounded(Tensor tensor) {
        float[] values = tensor.floats().clone();
        for (int i = 0; i < values.length; i++) values[i] = Float.float16ToFloat(Float.floatToFloat16(values[i]));
        return Tensor.of(
                values,
                tensor.shape().dims().stream().mapToInt(Integer::intValue).toArray());
    }

    private static double difference(float[] expected, float[] actual) {
        double largest = 1, error = 0;
        for (float v : expected) largest = Math.max(largest, Math.abs(v));
        for (int i = 0; i < expected.length; i++) {
            double apart = Math.abs((double) actual[i] - expected[i]);
            if (!(apart <= error)) error = apart; // not a number stays
        }
        return error / largest;
    }
}
