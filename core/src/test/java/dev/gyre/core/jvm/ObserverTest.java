package dev.gyre.core.jvm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.DType;
import dev.gyre.core.Executable;
import dev.gyre.core.Graph;
import dev.gyre.core.Graphviz;
import dev.gyre.core.Observer;
import dev.gyre.core.Op;
import dev.gyre.core.Sum;
import dev.gyre.core.Tensor;
import dev.gyre.core.Twice;
import dev.gyre.core.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class ObserverTest {
    /** ((2 x + 1) · 2 + 1) + x, in buffers that are used again. */
    private static Graph graph() {
        Graph graph = new Graph("test");
        Value x = graph.input("x", DType.F32, 3);
        Value once = graph.name("block.0", Twice.of(x));
        Value twice = graph.name("block", graph.name("block.1", Twice.of(once)));
        graph.output(Sum.of(Twice.of(Twice.of(twice)), x));
        return graph;
    }

    @Test
    void observesValuesByName() {
        Map<String, float[]> seen = new TreeMap<>();
        Observer observer = Observer.of("block*", (name, tensor) -> seen.put(name, tensor.floats()));
        try (JvmBackend backend = new JvmBackend(1);
                Executable plain = backend.compile(graph());
                Executable watched = backend.compile(graph(), observer)) {
            Tensor x = Tensor.of(new float[] {0, 1, 2}, 3);
            assertArrayEquals(
                    plain.run(x).getFirst().floats(), watched.run(x).getFirst().floats());
            assertEquals(plain.peakBytes(), watched.peakBytes(), "the observer keeps values alive");
            assertEquals(List.of("block", "block.0", "block.1"), List.copyOf(seen.keySet()));
            assertArrayEquals(new float[] {1, 3, 5}, seen.get("block.0"));
            assertArrayEquals(new float[] {3, 7, 11}, seen.get("block.1"));
            assertArrayEquals(new float[] {3, 7, 11}, seen.get("block"));
        }
    }

    @Test
    void patternsMatchTheWholeNameAndDotsAreLiteral() {
        List<String> seen = new ArrayList<>();
        Observer observer = Observer.of("block.0", (name, tensor) -> seen.add(name));
        try (JvmBackend backend = new JvmBackend(1);
                Executable one = backend.compile(graph(), observer);
                Executable none = backend.compile(graph(), Observer.of("lock.0", (name, tensor) -> seen.add(name)))) {
            one.run(Tensor.of(new float[3], 3));
            none.run(Tensor.of(new float[3], 3));
            assertEquals(List.of("block.0"), seen);
        }
    }

    @Test
    void observesInputs() {
        List<float[]> read = new ArrayList<>();
        Observer observer = new Observer() {
            @Override
            public boolean wants(Op op) {
                return op instanceof Sum;
            }

            @Override
            public void made(Op op, Function<Value, Tensor> values) {
                for (Value input : op.inputs()) read.add(values.apply(input).floats());
                read.add(values.apply(op.output()).floats());
            }
        };
        try (JvmBackend backend = new JvmBackend(2);
                Executable executable = backend.compile(graph(), observer)) {
            executable.run(Tensor.of(new float[] {0, 1, 2}, 3));
            assertArrayEquals(new float[] {15, 31, 47}, read.get(0));
            assertArrayEquals(new float[] {0, 1, 2}, read.get(1));
            assertArrayEquals(new float[] {15, 32, 49}, read.get(2));
        }
    }

    @Test
    void whatItThrowsEndsTheRunAndTheNextIsWhole() {
        boolean[] failing = {true};
        Observer observer = Observer.of("block", (name, tensor) -> {
            if (failing[0]) throw new IllegalStateException("stop");
        });
        try (JvmBackend backend = new JvmBackend(1);
                Executable executable = backend.compile(graph(), observer)) {
            Tensor x = Tensor.of(new float[] {0, 1, 2}, 3);
            assertThrows(IllegalStateException.class, () -> executable.run(x));
            failing[0] = false;
            assertArrayEquals(
                    new float[] {15, 32, 49}, executable.run(x).getFirst().floats());
        }
    }

    @Test
    void onlyComputedValuesCanBeNamed() {
        Graph graph = graph();
        Value weight = graph.constant("w", Tensor.of(new float[] {1}, 1));
        assertThrows(IllegalArgumentException.class, () -> graph.name("w", weight));
        Value foreign = graph().value("y", DType.F32, 1);
        assertTrue(assertThrows(IllegalArgumentException.class, () -> graph.name("y", foreign))
                .getMessage()
                .contains("y F32 [1] is not computed in this graph"));
        Value reshaped = graph.ops().getFirst().output().reshape(1, 3);
        assertEquals(List.of("block.0"), graph.names(reshaped));
        assertEquals("block.0", reshaped.name());
    }

    @Test
    void graphsAreDrawnWithGraphviz() {
        String dot = Graphviz.of(graph());
        assertTrue(dot.startsWith("digraph \"test\" {\n"), dot);
        assertTrue(dot.contains("in0 [shape=ellipse, label=\"x\"]"), dot);
        assertTrue(dot.contains("op1 [label=\"Twice\\nblock.1\\nblock\"]"), dot);
        assertTrue(dot.contains("in0 -> op0 [label=\"F32 [3]\"]"), dot);
        assertTrue(dot.contains("op3 -> op4"), dot);
        assertTrue(dot.contains("op4 -> out0"), dot);
    }
}
