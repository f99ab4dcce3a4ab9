package dev.gyre.nn.check;

import dev.gyre.core.DType;
import dev.gyre.core.Executable;
import dev.gyre.core.Graph;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Target;
import dev.gyre.core.Tensor;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.core.tornado.DeviceListener;
import dev.gyre.core.tornado.TornadoBackend;
import dev.gyre.nn.attention.Attention;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Compares every kernel with its definition on a device, over the table of cases that the tests use: drivers and
 * compilers have been silently wrong.
 */
public final class DeviceCheck {
    /** The rounding error of a sum, relative to the largest element. */
    private static final double TOLERANCE = 4e-6;

    /**
     * Likewise for tensor cores, which truncate partial sums, and for vendor libraries, which use algorithms of their
     * own.
     */
    private static final double REDUCED_TOLERANCE = 4e-5;

    /** Attention on tensor cores rounds its weights, too: by at most 2⁻¹¹ of the largest value; the table's are below 5. */
    private static final double ATTENTION_TOLERANCE = 0x1p-11 * 5;

    private DeviceCheck() {}

    /**
     * One case on the device.
     *
     * @param name op and sizes
     * @param kernels the kernels that ran, in order
     * @param error the largest difference from the definition, relative to the largest element; NaN when the case
     *     failed to run
     * @param millis milliseconds of the second run
     * @param problem the error message of a case that failed to run; otherwise empty
     * @param tolerance the largest error that rounding explains
     */
    public record Row(
            String name, List<String> kernels, double error, double millis, String problem, double tolerance) {
        /** Whether the case ran with no more error than rounding explains. */
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
     * @param options the device and its kernels
     * @param which selects cases by name
     * @param onRow receives each row when its case is done
     */
    public static List<Row> run(TornadoBackend.Options options, Predicate<String> which, Consumer<Row> onRow) {
        List<Row> rows = new ArrayList<>();
        List<String> kernels = new ArrayList<>();
        DeviceListener listener = new DeviceListener() {
            @Override
            public void chosen(List<Op> ops, List<KernelCall> steps) {
                steps.forEach(step -> kernels.add(step.name()));
            }
        };
        try (TornadoBackend backend = new TornadoBackend(options.listener(listener))) {
            for (OpCase opCase :
                    OpCases.cases().filter(opCase -> which.test(opCase.name())).toList()) {
                kernels.clear();
                Row row = run(opCase, backend, kernels);
                rows.add(row);
                onRow.accept(row);
            }
        }
        return rows;
    }

    private static Row run(OpCase opCase, TornadoBackend backend, List<String> kernels) {
        Map<String, Tensor> weights = opCase.makeWeights();
        Tensor[] inputs = opCase.makeInputs().toArray(Tensor[]::new);
        // Tensor cores round their operands. On operands rounded beforehand, they compute what other kernels do.
        boolean rounds = backend.target().kernels().compareTo(Target.KernelKind.TENSOR_CORE) >= 0;
        if (rounds) {
            weights.replaceAll((key, weight) -> weight.dtype() == DType.F16 ? weight : rounded(weight));
            Arrays.setAll(inputs, i -> rounded(inputs[i]));
        }
        double tolerance = tolerance(opCase.graph(weights), backend.target().kernels());
        float[] expected;
        try (JvmBackend jvm = JvmBackend.ofDefinitions();
                Executable executable = jvm.compile(opCase.graph(weights))) {
            expected = executable.run(inputs).get(0).floats();
        }
        // TornadoVM and drivers fail with any kind of exception or error.
        try (Executable executable = backend.compile(opCase.graph(weights))) {
            executable.run(inputs);
            long start = System.nanoTime();
            float[] actual = executable.run(inputs).get(0).floats();
            double millis = (System.nanoTime() - start) / 1e6;
            return new Row(opCase.name(), List.copyOf(kernels), difference(expected, actual), millis, "", tolerance);
        } catch (RuntimeException | Error e) {
            String problem = String.valueOf(e.getMessage()).strip().replaceAll("\\s+", " ");
            if (problem.isEmpty()) problem = e.toString();
            return new Row(opCase.name(), List.copyOf(kernels), Double.NaN, 0, problem, tolerance);
        }
    }

    private static double tolerance(Graph graph, Target.KernelKind kernels) {
        if (kernels.compareTo(Target.KernelKind.TENSOR_CORE) < 0) return TOLERANCE;
        boolean attention = graph.ops().stream().anyMatch(Attention.class::isInstance);
        return attention && kernels == Target.KernelKind.TENSOR_CORE ? ATTENTION_TOLERANCE : REDUCED_TOLERANCE;
    }

    /** The elements rounded to F16, as F32. */
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
            double delta = Math.abs((double) actual[i] - expected[i]);
            if (!(delta <= error)) error = delta; // NaN stays
        }
        return error / largest;
    }
}
