package dev.gyre.bench;

import dev.gyre.core.Executable;
import dev.gyre.core.Graph;
import dev.gyre.core.Op;
import dev.gyre.core.Value;
import dev.gyre.core.jvm.JvmBackend;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * A layer of one's own under JMH, its faster way against its loops: a public class with a constructor without parameters, no annotation
 * and nothing to generate. Both ways are first held against each other.
 *
 * <pre>{@code
 * public final class LeakyReluBench implements OpBench {
 *     public Value build(Graph graph, int size) {
 *         return LeakyRelu.of(graph.input("x", DType.F32, size), 0.1f);
 *     }
 *
 *     public static void main(String[] options) throws Exception {
 *         System.out.print(OpBench.run(LeakyReluBench.class, options).as("md"));
 *     }
 * }
 * }</pre>
 */
public interface OpBench {
    /** The largest difference between the faster way and the loops, by the largest number of the result, that is no error. */
    double TOLERANCE = 1e-3;

    /**
     * Adds inputs and the layer to a graph; inputs are filled with normal random numbers.
     *
     * @param size one of {@link #sizes()}
     * @return what the layer makes
     */
    Value build(Graph graph, int size);

    /** What is measured, in whatever unit {@link #build} takes it: a million, if it is not said. */
    default List<Integer> sizes() {
        return List.of(1 << 20);
    }

    /**
     * Measures every size both ways, in JVMs of their own.
     *
     * @param type the class, which those JVMs make anew
     * @param options JMH's own: {@code -f 1 -wi 3 -i 5 -r 1}, {@code -rf json -rff result.json}, {@code -p threads=1,2} …
     * @return a line for each size and number of threads
     * @throws IllegalArgumentException when the two ways differ by more than rounding, or an option is none of JMH's
     */
    static Table run(Class<? extends OpBench> type, String... options) throws RunnerException {
        OpBench bench = make(type.getName());
        List<Integer> sizes = bench.sizes();
        Map<Integer, Double> errors = new LinkedHashMap<>();
        Map<Integer, Long> flops = new LinkedHashMap<>();
        boolean faster = false;
        for (int size : sizes) {
            Graph graph = graph(bench, size);
            faster |= graph.ops().stream().anyMatch(op -> op.jvm().isPresent());
            flops.put(size, graph.ops().stream().mapToLong(Op::flops).sum());
            errors.put(size, error(bench, size));
        }
        try {
            Options all = new OptionsBuilder()
                    .parent(new CommandLineOptions(options))
                    .include("^" + OpBenchRunner.class.getName().replace(".", "\\.") + "\\.")
                    .param("type", type.getName())
                    .param("size", sizes.stream().map(String::valueOf).toArray(String[]::new))
                    .param("way", faster ? new String[] {"loops", "kernel"} : new String[] {"loops"})
                    .build();
            return table(new Runner(all).run(), errors, flops);
        } catch (CommandLineOptionException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    private static Table table(Collection<RunResult> results, Map<Integer, Double> errors, Map<Integer, Long> flops) {
        Map<List<String>, Map<String, RunResult>> ways = new LinkedHashMap<>();
        for (RunResult result : results) {
            List<String> key = List.of(
                    result.getParams().getParam("size"), result.getParams().getParam("threads"));
            ways.computeIfAbsent(key, first -> new LinkedHashMap<>())
                    .put(result.getParams().getParam("way"), result);
        }
        Table table = new Table(
                "size", "threads", "loops ms", "±", "kernel ms", "± ", "loops / kernel", "GFLOP/s", "largest error");
        ways.forEach((key, both) -> {
            int size = Integer.parseInt(key.get(0));
            List<Object> cells = new ArrayList<>(List.of(size, Integer.parseInt(key.get(1))));
            for (String way : List.of("loops", "kernel")) {
                RunResult result = both.get(way);
                cells.add(result == null ? null : result.getPrimaryResult().getScore());
                cells.add(result == null ? null : result.getPrimaryResult().getScoreError());
            }
            Double loops = (Double) cells.get(2),
                    kernel = (Double) cells.get(4),
                    best = kernel == null ? loops : kernel;
            cells.add(loops == null || kernel == null ? null : loops / kernel);
            cells.add(flops.get(size) == 0 || best == null ? null : flops.get(size) / best / 1e6);
            cells.add(errors.get(size));
            table.add(cells.toArray());
        });
        return table;
    }

    private static Graph graph(OpBench bench, int size) {
        Graph graph = new Graph();
        graph.output(bench.build(graph, size));
        return graph;
    }

    /** @return by how much the ways differ, the largest number of the result being 1 */
    private static double error(OpBench bench, int size) {
        Graph graph = graph(bench, size);
        float[] expected, actual;
        try (JvmBackend backend = JvmBackend.ofDefinitions(JvmBackend.Options.DEFAULT.threads());
                Executable loops = backend.compile(graph)) {
            expected = loops.run(OneOp.inputs(graph)).getFirst().floats();
        }
        try (JvmBackend backend = new JvmBackend();
                Executable kernel = backend.compile(graph)) {
            actual = kernel.run(OneOp.inputs(graph)).getFirst().floats();
        }
        double largest = 0, error = 0;
        int worst = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            double apart = Math.abs((double) actual[i] - expected[i]);
            if (apart > error || Double.isNaN(apart)) {
                error = apart;
                worst = i;
            }
            if (Double.isNaN(apart)) break;
        }
        if (!(error <= TOLERANCE * largest))
            throw new IllegalArgumentException(bench.getClass().getName() + ", size " + size
                    + ": the faster way is wrong: element " + worst + " is " + actual[worst] + ", the loops give "
                    + expected[worst]);
        return largest == 0 ? 0 : error / largest;
    }

    /** The bench of this name: JMH hands its JVMs names, not objects. */
    static OpBench make(String type) {
        try {
            return (OpBench) Class.forName(type).getConstructor().newInstance();
        } catch (ReflectiveOperationException | ClassCastException e) {
            throw new IllegalArgumentException(
                    type + ": a public class that implements OpBench and has a public constructor without parameters"
                            + " is expected: " + e,
                    e);
        }
    }
}
