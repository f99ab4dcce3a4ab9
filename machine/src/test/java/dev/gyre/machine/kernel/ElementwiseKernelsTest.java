package dev.gyre.machine.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gyre.machine.Feature;
import dev.gyre.machine.assembler.Code;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Element-wise kernels against plain loops, on buffers between guard pages, with numbers of all magnitudes, infinities
 * and NaN.
 */
public class ElementwiseKernelsTest {
    public static final ErfKernels ERF = new ErfKernels(
            4f,
            List.of(
                    -2.72614225801306e-10f,
                    2.77068142495902e-08f,
                    -2.10102402082508e-06f,
                    -5.69250639462346e-05f,
                    -7.34990630326855e-04f,
                    -2.95459980854025e-03f,
                    -1.60960333262415e-02f),
            List.of(
                    -1.45660718464996e-05f,
                    -2.13374055278905e-04f,
                    -1.68282697438203e-03f,
                    -7.37332916720468e-03f,
                    -1.42647390514189e-02f));

    private static final MemoryLayout P = ValueLayout.ADDRESS, L = ValueLayout.JAVA_LONG;

    private final Random random = new Random(7);

    /** Vector width, and whether buffers end or begin at a guard page. */
    static Stream<Arguments> ways() {
        return Stream.of(256, 512).flatMap(bits -> Stream.of(true, false).map(atEnd -> Arguments.of(bits, atEnd)));
    }

    private static MethodHandle place(int bits, Code code, MemoryLayout... arguments) {
        return Placed.on(bits == 512 ? Feature.AVX512 : Feature.AVX2, code, arguments);
    }

    private float[] numbers(int rounds) {
        float[] numbers = new float[rounds * ElementwiseKernels.UNROLL];
        for (int i = 0; i < numbers.length; i++) numbers[i] = (float) random.nextGaussian();
        return numbers;
    }

    /** Numbers including the smallest, the largest and NaN. */
    private float[] extremes(int rounds) {
        float[] numbers = numbers(rounds),
                some =
                        {
                            -0f,
                            0f,
                            Float.MIN_VALUE,
                            -Float.MIN_VALUE,
                            1e30f,
                            -1e30f,
                            1e-30f,
                            Float.POSITIVE_INFINITY,
                            Float.NEGATIVE_INFINITY,
                            Float.NaN,
                            100f,
                            -100f,
                            5f,
                            -5f
                        };
        for (int i = 0; i < numbers.length; i += 3) numbers[i] = some[random.nextInt(some.length)];
        return numbers;
    }

    @ParameterizedTest
    @MethodSource("ways")
    void add(int bits, boolean atEnd) throws Throwable {
        MethodHandle add = place(bits, new ElementwiseKernels(bits).add(), P, P, P, L, P);
        for (int rounds = 1; rounds < 6; rounds++)
            try (Arena arena = Arena.ofConfined()) {
                Guarded memory = new Guarded(arena, atEnd);
                float[] a = extremes(rounds), b = extremes(rounds);
                MemorySegment y = memory.bytes(a.length * 4L), scale = memory.floats(new float[] {0.7f});
                add.invokeExact(memory.floats(a), memory.floats(b), y, (long) rounds, scale);
                float[] got = Guarded.floats(y);
                for (int i = 0; i < a.length; i++) assertEquals(a[i] + 0.7f * b[i], got[i], "at " + i);
            }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void scale(int bits, boolean atEnd) throws Throwable {
        MethodHandle scale = place(bits, new ElementwiseKernels(bits).scale(), P, P, L, P);
        for (int rounds = 1; rounds < 6; rounds++)
            try (Arena arena = Arena.ofConfined()) {
                Guarded memory = new Guarded(arena, atEnd);
                float[] x = extremes(rounds);
                MemorySegment y = memory.floats(x), numbers = memory.floats(new float[] {0.3f, 2f, -0.1f});
                scale.invokeExact(y, y, (long) rounds, numbers); // in place
                float[] got = Guarded.floats(y);
                for (int i = 0; i < x.length; i++) assertEquals(Math.fma(x[i] - 0.3f, 2f, -0.1f), got[i], "at " + i);
            }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void sumsAndSquaredDifferences(int bits, boolean atEnd) throws Throwable {
        MethodHandle add = place(bits, new ElementwiseKernels(bits).sums(), P, L, P);
        MethodHandle square = place(bits, new ElementwiseKernels(bits).squares(), P, L, P, P);
        for (int rounds = 1; rounds < 6; rounds++)
            try (Arena arena = Arena.ofConfined()) {
                Guarded memory = new Guarded(arena, atEnd);
                float[] x = numbers(rounds),
                        sums = new float[ElementwiseKernels.UNROLL],
                        squares = new float[ElementwiseKernels.UNROLL];
                for (int i = 0; i < x.length; i++) {
                    int chain = i % ElementwiseKernels.UNROLL;
                    sums[chain] += x[i];
                    squares[chain] = Math.fma(x[i] - 0.4f, x[i] - 0.4f, squares[chain]);
                }
                MemorySegment from = memory.floats(x), to = memory.bytes(ElementwiseKernels.UNROLL * 4L);
                add.invokeExact(from, (long) rounds, to);
                assertEquals(Arrays.toString(sums), Arrays.toString(Guarded.floats(to)));
                square.invokeExact(from, (long) rounds, to, memory.floats(new float[] {0.4f}));
                assertEquals(Arrays.toString(squares), Arrays.toString(Guarded.floats(to)));
            }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void norms(int bits, boolean atEnd) throws Throwable {
        MethodHandle norm = place(bits, new ElementwiseKernels(bits).norm(), P, P, L, P, P, P);
        for (int rounds = 1; rounds < 6; rounds++)
            try (Arena arena = Arena.ofConfined()) {
                Guarded memory = new Guarded(arena, atEnd);
                float[] x = extremes(rounds), weight = numbers(rounds), bias = numbers(rounds);
                MemorySegment y = memory.bytes(x.length * 4L), numbers = memory.floats(new float[] {0.3f, 1.7f});
                norm.invokeExact(
                        memory.floats(x), y, (long) rounds, numbers, memory.floats(weight), memory.floats(bias));
                float[] got = Guarded.floats(y);
                for (int i = 0; i < x.length; i++)
                    assertEquals(Math.fma((x[i] - 0.3f) * 1.7f, weight[i], bias[i]), got[i], "at " + i);
            }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void siluOfScaled(int bits, boolean atEnd) throws Throwable {
        MethodHandle gate = place(bits, ExpKernelsTest.EXP.silu(bits), P, P, L, P);
        for (int rounds = 1; rounds < 6; rounds++)
            try (Arena arena = Arena.ofConfined()) {
                Guarded memory = new Guarded(arena, atEnd);
                float[] x = extremes(rounds);
                MemorySegment to = memory.bytes(x.length * 4L);
                MemorySegment numbers = memory.floats(new float[] {0.3f, 2f, -0.1f, -1.7f});
                gate.invokeExact(memory.floats(x), to, (long) rounds, numbers);
                float[] y = Guarded.floats(to);
                for (int i = 0; i < x.length; i++) {
                    double v = (x[i] - 0.3) * 2 - 0.1, power = Math.exp(Math.clamp(-1.7 * v, -87, 88));
                    double expected = v / (1 + power);
                    if (Double.isFinite(expected))
                        assertEquals(expected, y[i], 1e-6 * Math.max(1, Math.abs(expected)), "at " + i);
                    else assertEquals((float) expected, y[i], "at " + i);
                }
            }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void geglu(int bits, boolean atEnd) throws Throwable {
        MethodHandle geglu = place(bits, ERF.geglu(bits), P, P, P, L);
        for (int rounds = 1; rounds < 6; rounds++)
            try (Arena arena = Arena.ofConfined()) {
                Guarded memory = new Guarded(arena, atEnd);
                float[] value = numbers(rounds), gate = extremes(rounds);
                MemorySegment y = memory.bytes(value.length * 4L);
                geglu.invokeExact(memory.floats(value), memory.floats(gate), y, (long) rounds);
                float[] got = Guarded.floats(y);
                for (int i = 0; i < value.length; i++) {
                    float v = Math.max(-4f, Math.min(4f, gate[i] * 0.70710678f)), s = v * v, p = 0, q = 0;
                    for (float c : ERF.numerator()) p = Math.fma(p, s, c);
                    for (float c : ERF.denominator()) q = Math.fma(q, s, c);
                    assertEquals(value[i] * (0.5f * gate[i] * (1f + v * p / q)), got[i], "at " + i);
                }
            }
    }
}
