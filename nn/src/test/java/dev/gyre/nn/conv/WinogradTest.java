package dev.gyre.nn.conv;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gyre.core.DType;
import dev.gyre.core.Executable;
import dev.gyre.core.Graph;
import dev.gyre.core.JvmKernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.nn.cpu.MachineMicroKernel;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Filtering in machine code gives the bits that it gives in loops. */
@Tag("processor")
class WinogradTest {
    /** A convolution by one particular algorithm. */
    private record Chosen(Conv2d conv, Function<Conv2d, JvmKernel> algorithm) implements Op {
        @Override
        public List<Value> inputs() {
            return conv.inputs();
        }

        @Override
        public Value output() {
            return conv.y();
        }

        @Override
        public List<KernelCall> loops() {
            return conv.loops();
        }

        @Override
        public Optional<JvmKernel> jvm() {
            return Optional.of(algorithm.apply(conv));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1, 16, 16, 16, 24",
        "2, 40, 16, 48, 13",
        "2, 300, 13, 18, 30",
        "3, 20, 12, 12, 50",
        "1, 130, 40, 33, 12",
        "1, 24, 20, 16, 7",
        "1, 140, 36, 32, 26"
    })
    void machineCodeGivesTheSameBits(int batch, int in, int height, int width, int out) {
        assumeTrue(MachineMicroKernel.isAvailable(), "not run: no AVX2, or it is disabled");
        Random random = new Random(in);
        Tensor weight = numbers(random, out, in, 3, 3),
                bias = numbers(random, out),
                x = numbers(random, batch, in, height, width);
        Function<Conv2d, JvmKernel> loops = conv -> new Winograd(conv, WinogradTransform.F4);
        float[] expected = run(x, weight, bias, loops, 1);
        for (int threads = 1; threads < 4; threads += 2)
            assertArrayEquals(
                    expected,
                    run(
                            x,
                            weight,
                            bias,
                            conv -> new WinogradMachineCode(conv, new Winograd(conv, WinogradTransform.F4)),
                            threads),
                    0f);
    }

    private static float[] run(
            Tensor x, Tensor weight, Tensor bias, Function<Conv2d, JvmKernel> algorithm, int threads) {
        Graph graph = new Graph();
        Value in = graph.input("x", DType.F32, dims(x));
        int out = weight.shape().dim(0);
        Value y = in.like(x.shape().dim(0), out, x.shape().dim(2), x.shape().dim(3));
        Conv2d conv = new Conv2d(in, graph.constant("w", weight), graph.constant("b", bias), 1, 1, y);
        graph.output(graph.add(new Chosen(conv, algorithm)));
        try (JvmBackend backend = new JvmBackend(threads);
                Executable executable = backend.compile(graph)) {
            return executable.run(x).get(0).floats();
        }
    }

    private static Tensor numbers(Random random, int... dims) {
        float[] numbers = new float[IntStream.of(dims).reduce(1, (a, b) -> a * b)];
        for (int i = 0; i < numbers.length; i++) numbers[i] = (float) random.nextGaussian();
        return Tensor.of(numbers, dims);
    }

    private static int[] dims(Tensor tensor) {
        return tensor.shape().dims().stream().mapToInt(Integer::intValue).toArray();
    }
}
