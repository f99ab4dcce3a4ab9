package dev.gyre.bench;

import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.core.profile.Environment;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Whether every start of the JVM gets fast kernels: HotSpot decides anew each time what it compiles, and a kernel that it gave up on
 * would be many times slower. {@code Starts [COUNT]} starts as many JVMs with this one's options, one after the other, and prints what
 * each reached on a linear layer, a convolution and attention once warm (30 starts: about 3 minutes).
 */
public final class JvmStartVariance {
    private static final List<String> OPS =
            List.of("linear 2048 640 640", "conv 2 640 32 640 3 1", "attention 8 1024 1024 80");

    private JvmStartVariance() {}

    /** Starts the JVMs, or with {@code --child} is one of them. */
    public static void main(String[] args) throws IOException {
        if (args.length == 1 && args[0].equals("--child")) {
            for (String op : OPS) System.out.println(reached(OpShape.parse(op)));
            return;
        }
        int count = args.length == 0 ? 30 : Integer.parseInt(args[0]);
        System.err.println(Environment.line());
        double[][] gflops = new double[OPS.size()][count];
        for (int i = 0; i < count; i++) {
            List<String> lines = child();
            for (int op = 0; op < OPS.size(); op++) gflops[op][i] = Double.parseDouble(lines.get(op));
        }
        Table table = new Table("op", "starts", "least GFLOP/s", "median", "most", "starts below half the median");
        for (int op = 0; op < OPS.size(); op++) {
            double median = ModelBench.median(gflops[op]);
            double[] all = gflops[op];
            table.add(
                    OPS.get(op),
                    count,
                    IntStream.range(0, count).mapToDouble(i -> all[i]).min().orElse(0),
                    median,
                    IntStream.range(0, count).mapToDouble(i -> all[i]).max().orElse(0),
                    (int) IntStream.range(0, count)
                            .filter(i -> all[i] < median / 2)
                            .count());
        }
        System.out.print(table.as("md"));
    }

    private static List<String> child() throws IOException {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElse("java"));
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(
                List.of("-cp", System.getProperty("java.class.path"), JvmStartVariance.class.getName(), "--child"));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        List<String> lines = process.inputReader().lines().toList();
        if (lines.size() != OPS.size())
            throw new IOException("a JVM said " + lines + " where " + OPS.size() + " figures were expected");
        return lines;
    }

    /** GFLOP/s, the median of half a second after one and a half to warm up. */
    private static double reached(OpShape shape) {
        try (OneOp op = new OneOp(shape, JvmBackend.Options.DEFAULT)) {
            long start = System.nanoTime();
            while (System.nanoTime() - start < 1.5e9) op.run();
            List<Double> seconds = new ArrayList<>();
            start = System.nanoTime();
            while (System.nanoTime() - start < 0.5e9) seconds.add(op.seconds());
            return shape.flops()
                    / ModelBench.median(
                            seconds.stream().mapToDouble(Double::doubleValue).toArray())
                    / 1e9;
        }
    }
}
