package dev.gyre.core.plan;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.DType;
import dev.gyre.core.Executable;
import dev.gyre.core.Graph;
import dev.gyre.core.Sum;
import dev.gyre.core.Tensor;
import dev.gyre.core.Twice;
import dev.gyre.core.Value;
import dev.gyre.core.jvm.JvmBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MemoryPlannerTest {
    private static MemoryPlanner.Plan plan(Graph graph) {
        return MemoryPlanner.plan(graph, op -> MemoryPlanner.scratch(op, op.loops()));
    }

    @Test
    void aChainOfAnyLengthNeedsThreeBuffers() {
        Graph graph = new Graph();
        Value x = graph.input("x", DType.F32, 1000);
        for (int i = 0; i < 50; i++) x = Twice.of(x);
        graph.output(x);
        MemoryPlanner.Plan plan = plan(graph);
        // An op's inputs, scratch and output have overlapping lifetimes; no other values do.
        assertEquals(3, plan.buffers().size());
        assertEquals(3 * 4000, plan.peakBytes());
    }

    @Test
    void aValueReadLaterKeepsItsBuffer() {
        Graph graph = new Graph();
        Value x = graph.input("x", DType.F32, 10);
        Value a = Sum.of(x, x), b = Sum.of(a, a), c = Sum.of(b, b), y = Sum.of(c, a);
        graph.output(y);
        MemoryPlanner.Plan plan = plan(graph);
        assertNotEquals(plan.bufferOf(a), plan.bufferOf(b));
        assertNotEquals(plan.bufferOf(a), plan.bufferOf(c));
        assertNotEquals(plan.bufferOf(a), plan.bufferOf(y));
        assertEquals(plan.bufferOf(x), plan.bufferOf(b), "x is dead once a is made");
    }

    @Test
    void aReshapedValueKeepsItsStorage() {
        Graph graph = new Graph();
        Value x = graph.input("x", DType.F32, 10);
        Value a = Sum.of(x, x), view = a.reshape(2, 5), b = Sum.of(x, x), c = Sum.of(b, b);
        graph.output(Sum.of(c, view.reshape(10)));
        MemoryPlanner.Plan plan = plan(graph);
        assertEquals(plan.bufferOf(a), plan.bufferOf(view));
        assertNotEquals(plan.bufferOf(a), plan.bufferOf(b));
        assertNotEquals(plan.bufferOf(a), plan.bufferOf(c));
    }

    @Test
    void outputsLiveToTheEnd() {
        Graph graph = new Graph();
        Value x = graph.input("x", DType.F32, 10);
        Value first = Sum.of(x, x), last = first;
        for (int i = 0; i < 5; i++) last = Sum.of(last, last);
        graph.output(first);
        graph.output(last);
        try (JvmBackend backend = new JvmBackend(1);
                Executable executable = backend.compile(graph)) {
            List<Tensor> outputs = executable.run(Tensor.of(new float[] {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 10));
            assertEquals(2, outputs.get(0).floats()[9]);
            assertEquals(64, outputs.get(1).floats()[9]);
        }
    }

    @Test
    void sharingBuffersNeverChangesAResult() {
        Random random = new Random(5);
        for (int round = 0; round < 200; round++) {
            Graph graph = new Graph();
            List<Value> values = new ArrayList<>(List.of(graph.input("x", DType.F32, 7)));
            List<float[]> expected = new ArrayList<>(List.of(new float[] {0, 1, 2, 3, 4, 5, 6}));
            for (int i = 0; i < 20; i++) {
                int a = random.nextInt(values.size()), b = random.nextInt(values.size());
                float[] result = new float[7];
                if (random.nextBoolean()) {
                    values.add(Sum.of(values.get(a), values.get(b)));
                    for (int j = 0; j < 7; j++) result[j] = expected.get(a)[j] + expected.get(b)[j];
                } else {
                    values.add(Twice.of(values.get(a)));
                    for (int j = 0; j < 7; j++) result[j] = 2 * expected.get(a)[j] + 1;
                }
                expected.add(result);
            }
            int middle = 1 + random.nextInt(values.size() - 1);
            graph.output(values.get(middle));
            graph.output(values.get(values.size() - 1));
            try (JvmBackend backend = new JvmBackend(2);
                    Executable executable = backend.compile(graph)) {
                assertTrue(executable.peakBytes() < 21 * 28, "no buffer is reused");
                List<Tensor> outputs = executable.run(Tensor.of(expected.get(0), 7));
                assertArrayEquals(expected.get(middle), outputs.get(0).floats());
                assertArrayEquals(
                        expected.get(expected.size() - 1), outputs.get(1).floats());
            }
        }
    }

    @Test
    void anOpThatReadsAnUncomputedValueIsNamed() {
        Graph graph = new Graph();
        Value never = graph.value("never", DType.F32, 3);
        graph.output(Sum.of(never, never));
        Exception e = assertThrows(IllegalStateException.class, () -> plan(graph));
        assertEquals("Sum reads never F32 [3] before any op computes it", e.getMessage());
    }
}
