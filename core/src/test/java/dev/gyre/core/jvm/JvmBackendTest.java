package dev.gyre.core.jvm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.DType;
import dev.gyre.core.Executable;
import dev.gyre.core.Graph;
import dev.gyre.core.Shape;
import dev.gyre.core.Sum;
import dev.gyre.core.Tensor;
import dev.gyre.core.Twice;
import dev.gyre.core.Value;
import dev.gyre.core.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class JvmBackendTest {
    private static Graph graph(int n) {
        Graph graph = new Graph();
        graph.output(Twice.of(graph.input("x", DType.F32, n)));
        return graph;
    }

    @Test
    void loopsRunOnAnyNumberOfThreads() {
        float[] x = new float[10_007], expected = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            x[i] = i;
            expected[i] = 2 * i + 1;
        }
        for (int threads : new int[] {1, 2, 5}) {
            try (JvmBackend backend = new JvmBackend(threads);
                    Executable executable = backend.compile(graph(x.length))) {
                assertArrayEquals(
                        expected, executable.run(Tensor.of(x, x.length)).get(0).floats());
            }
        }
    }

    @Test
    void definitionsReceive16BitWeightsAsFloats() {
        float[] values = {1.5f, -2, 0.25f};
        short[] half = new short[3], brain = new short[3];
        for (int i = 0; i < 3; i++) {
            half[i] = Float.floatToFloat16(values[i]);
            brain[i] = (short) (Float.floatToRawIntBits(values[i]) >>> 16);
        }
        Graph graph = new Graph();
        Value a = graph.constant("a", new Tensor(DType.F16, Shape.of(3), MemorySegment.ofArray(half)));
        Value b = graph.constant("b", new Tensor(DType.BF16, Shape.of(3), MemorySegment.ofArray(brain)));
        graph.output(Sum.of(a, b));
        try (JvmBackend backend = new JvmBackend(1);
                Executable executable = backend.compile(graph)) {
            assertArrayEquals(new float[] {3, -4, 0.5f}, executable.run().get(0).floats());
        }
    }

    @Test
    void weightsMayBeUnaligned() {
        try (Arena arena = Arena.ofConfined();
                JvmBackend backend = new JvmBackend(1)) {
            MemorySegment odd = arena.allocate(13).asSlice(1);
            odd.copyFrom(MemorySegment.ofArray(new float[] {1, 2, 3}));
            Graph graph = new Graph();
            Value a = graph.constant("a", new Tensor(DType.F32, Shape.of(3), odd));
            graph.output(Sum.of(a, a));
            try (Executable executable = backend.compile(graph)) {
                assertArrayEquals(new float[] {2, 4, 6}, executable.run().get(0).floats());
            }
        }
    }

    @Test
    void inputsOfAnotherShapeOrNumberAreNamed() {
        try (JvmBackend backend = new JvmBackend(1);
                Executable executable = backend.compile(graph(4))) {
            Exception shape =
                    assertThrows(IllegalArgumentException.class, () -> executable.run(Tensor.of(new float[3], 3)));
            assertEquals("input x: expected F32 [4], got F32 [3]", shape.getMessage());
            Exception number = assertThrows(IllegalArgumentException.class, executable::run);
            assertEquals("the graph has 1 inputs [x F32 [4]], got 0", number.getMessage());
        }
    }

    @Test
    void memoryIsFreed() {
        try (JvmBackend backend = new JvmBackend(1)) {
            Executable executable = backend.compile(graph(4));
            assertEquals(1, backend.openExecutables());
            executable.close();
            executable.close();
            assertEquals(0, backend.openExecutables());
            assertThrows(IllegalStateException.class, () -> executable.run(Tensor.of(new float[4], 4)));
        }
    }

    @Test
    void theFirstFailureIsThrownAndTheWorkersSurvive() {
        try (Workers workers = new Workers(3)) {
            IllegalStateException failure = new IllegalStateException("piece 5");
            Exception e = assertThrows(
                    IllegalStateException.class,
                    () -> workers.run(10, (i, scratch) -> {
                        if (i == 5) throw failure;
                    }));
            assertSame(failure, e);
            Set<Integer> done = ConcurrentHashMap.newKeySet();
            workers.run(100, (i, scratch) -> done.add(i));
            assertEquals(100, done.size());
        }
    }

    @Test
    void severalCallersShareTheWorkers() {
        try (Workers workers = new Workers(2)) {
            int[] sums = IntStream.range(0, 8)
                    .parallel()
                    .map(caller -> {
                        int[] count = new int[50];
                        workers.run(50, (i, scratch) -> count[i]++);
                        return IntStream.of(count).sum();
                    })
                    .toArray();
            for (int sum : sums) assertEquals(50, sum);
        }
    }

    @Test
    void rangesCoverEveryIterationOnce() {
        try (Workers workers = new Workers(3)) {
            for (int count : new int[] {0, 1, 2, 7, 1000}) {
                int[] seen = new int[count];
                workers.range(count, 3, (begin, n) -> {
                    for (int i = begin; i < begin + n; i++) seen[i]++;
                });
                assertTrue(IntStream.of(seen).allMatch(s -> s == 1), "of " + count);
            }
        }
    }

    @Test
    void invalidShapesAndTensorsAreRejected() {
        Exception size = assertThrows(IllegalArgumentException.class, () -> Tensor.of(new float[3], 2, 2));
        assertEquals("a tensor F32 [2, 2] has 16 bytes, got 12", size.getMessage());
        Exception negative = assertThrows(IllegalArgumentException.class, () -> Shape.of(2, -1));
        assertEquals("a dimension must not be negative, got shape [2, -1]", negative.getMessage());
        Exception large = assertThrows(IllegalArgumentException.class, () -> Shape.of(1 << 16, 1 << 16));
        assertEquals("a tensor has at most 2^31-1 elements, got shape [65536, 65536]", large.getMessage());
        Exception reshaped = assertThrows(
                IllegalArgumentException.class,
                () -> new Graph().input("x", DType.F32, 6).reshape(4));
        assertEquals("x: cannot reshape [6] to [4]", reshaped.getMessage());
    }

    @Test
    void valuesOfAnotherGraphAreRejected() {
        Value other = new Graph().input("other", DType.F32, 2);
        Graph graph = new Graph();
        Value x = graph.input("x", DType.F32, 2);
        Exception e = assertThrows(IllegalArgumentException.class, () -> Sum.of(x, other));
        assertEquals("Sum reads other F32 [2], which belongs to another graph", e.getMessage());
    }
}
