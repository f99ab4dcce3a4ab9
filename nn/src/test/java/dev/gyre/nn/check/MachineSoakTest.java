package dev.gyre.nn.check;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gyre.core.DType;
import dev.gyre.core.Executable;
import dev.gyre.core.Graph;
import dev.gyre.core.Precision;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.nn.Weights;
import dev.gyre.nn.attention.Attention;
import dev.gyre.nn.conv.Conv2d;
import dev.gyre.nn.cpu.MachineMicroKernel;
import dev.gyre.nn.elementwise.Silu;
import dev.gyre.nn.linear.Linear;
import dev.gyre.nn.norm.GroupNorm;
import dev.gyre.nn.shape.Transpose;
import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** Machine code on Java arrays while the garbage collector moves them: no result may change. */
@Isolated("it counts the whole JVM's memory")
class MachineSoakTest {
    private static final int THREADS = 12;

    @Test
    void aFewSeconds() throws Exception {
        soak(4);
    }

    @Test
    @Tag("long")
    void fiveMinutes() throws Exception {
        soak(300);
    }

    private static void soak(int seconds) throws Exception {
        assumeTrue(MachineMicroKernel.isAvailable(), "not run: " + MachineMicroKernel.refusal());
        long collections = collections(), end = System.nanoTime() + seconds * 1_000_000_000L;
        AtomicBoolean done = new AtomicBoolean();
        try (ExecutorService pool = Executors.newCachedThreadPool()) {
            for (int i = 0; i < 2; i++) pool.submit(() -> allocate(done));
            var runs = IntStream.range(0, THREADS)
                    .<Future<?>>mapToObj(i -> pool.submit(() -> repeat(i, end)))
                    .toList();
            try {
                for (Future<?> run : runs) run.get();
            } finally {
                done.set(true);
            }
        }
        assertTrue(
                collections() - collections > seconds, "the collector was not busy: " + (collections() - collections));
    }

    /** Allocates objects of many sizes, some of which live long enough to be moved. */
    private static void allocate(AtomicBoolean done) {
        Random random = new Random(1);
        byte[][] kept = new byte[2000][];
        while (!done.get()) kept[random.nextInt(kept.length)] = new byte[random.nextInt(200_000)];
    }

    /** Repeats a convolution, a norm with its SiLU, attention and a linear layer, with scratch of its own. */
    private static void repeat(int seed, long end) {
        Random random = new Random(seed);
        Map<String, Tensor> weights = new HashMap<>();
        Tensor x = numbers(random, 1, 32, 16, 16);
        boolean bf16 = seed % 2 == 0 && Precision.BF16.refusal().isEmpty();
        JvmBackend.Options options =
                JvmBackend.Options.DEFAULT.threads(1 + seed % 3).precision(bf16 ? Precision.BF16 : Precision.F32);
        float[] expected = null;
        while (expected == null || System.nanoTime() < end)
            // A new backend every time, so that its arrays are in the young generation.
            try (JvmBackend backend = new JvmBackend(options)) {
                Graph graph = new Graph();
                Value in = graph.input("x", DType.F32, 1, 32, 16, 16);
                Weights at = Weights.of(
                        graph, key -> Optional.of(weights.computeIfAbsent(key, k -> weight(new Random(seed), k))));
                Value h = Silu.of(GroupNorm.of(Conv2d.of(in, 32, 3, at.at("conv")), 4, 1e-5f, at.at("norm")));
                h = Transpose.of(h.reshape(1, 32, 256));
                h = Linear.of(Attention.of(h, h, h, 2, false), 48, at.at("linear"));
                graph.output(h);
                at.check();
                try (Executable executable = backend.compile(graph)) {
                    for (int i = 0; i < 5; i++) {
                        float[] result = executable.run(x).get(0).floats();
                        if (expected == null) expected = result;
                        assertArrayEquals(expected, result, 0f, "thread " + seed);
                    }
                }
            }
    }

    private static Tensor weight(Random random, String key) {
        return switch (key) {
            case "conv.weight" -> numbers(random, 32, 32, 3, 3);
            case "linear.weight" -> numbers(random, 48, 32);
            case "linear.bias" -> numbers(random, 48);
            default -> numbers(random, 32);
        };
    }

    private static Tensor numbers(Random random, int... dims) {
        float[] numbers = new float[IntStream.of(dims).reduce(1, (a, b) -> a * b)];
        for (int i = 0; i < numbers.length; i++) numbers[i] = (float) random.nextGaussian() / 4;
        return Tensor.of(numbers, dims);
    }

    private static long collections() {
        return ManagementFactory.getGarbageCollectorMXBeans().stream()
                .mapToLong(java.lang.management.GarbageCollectorMXBean::getCollectionCount)
                .sum();
    }
}
