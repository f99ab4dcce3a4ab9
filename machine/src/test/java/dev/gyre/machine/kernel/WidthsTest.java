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
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Results are the same, bit for bit, at every vector width, so they do not depend on the processor. */
class WidthsTest {
    private static final MemoryLayout P = ValueLayout.ADDRESS, L = ValueLayout.JAVA_LONG;

    private final Random random = new Random(3);
    private final Arena arena = Arena.ofAuto();
    private final Guarded memory = new Guarded(arena, true);

    private static MethodHandle on(int bits, Code code, MemoryLayout... arguments) {
        return Placed.on(bits == 512 ? Feature.AVX512 : Feature.AVX2, code, arguments);
    }

    private float[] numbers(int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) numbers[i] = (float) random.nextGaussian();
        return numbers;
    }

    private static void same(float expected, float got, String where) {
        assertEquals(Float.floatToRawIntBits(expected), Float.floatToRawIntBits(got), where);
    }

    @Test
    void siluIsTheSame() throws Throwable {
        float[] x = numbers(1024);
        for (int i = 0; i < x.length; i++) x[i] *= 40; // beyond both bounds of the exponent
        x[5] = Float.NaN;
        float[][] y = new float[2][];
        for (int wide = 0; wide < 2; wide++) {
            MethodHandle gate = on(256 << wide, ExpKernelsTest.EXP.silu(256 << wide), P, P, L, P);
            MemorySegment to = memory.floats(x), numbers = memory.floats(new float[] {0.3f, 2f, -0.1f, -1.7f});
            gate.invokeExact(to, to, (long) x.length / ElementwiseKernels.UNROLL, numbers); // in place
            y[wide] = Guarded.floats(to);
        }
        for (int i = 0; i < x.length; i++) same(y[0][i], y[1][i], "at " + i);
    }

    /** A panel of 512-bit vectors is two of 256-bit vectors. */
    @Test
    void softmaxIsTheSame() throws Throwable {
        MethodHandle wide = on(512, ExpKernelsTest.EXP.softmax(512), P, P, P, P, L);
        MethodHandle narrow = on(256, ExpKernelsTest.EXP.softmax(256), P, P, P, P, L);
        for (int rows = 1; rows < 8; rows++) {
            float[] scores = numbers(rows * 32), largest = numbers(32), total = numbers(32);
            scores[3] = Float.NaN;
            float[][] all = softmax(wide, rows, scores, largest, total);
            for (int half = 0; half < 2; half++) {
                float[] part = new float[rows * 16];
                for (int i = 0; i < part.length; i++) part[i] = scores[i / 16 * 32 + half * 16 + i % 16];
                int from = half * 16;
                float[][] some = softmax(
                        narrow,
                        rows,
                        part,
                        Arrays.copyOfRange(largest, from, from + 16),
                        Arrays.copyOfRange(total, from, from + 16));
                for (int what = 0; what < 4; what++)
                    for (int i = 0; i < some[what].length; i++)
                        same(some[what][i], all[what][i / 16 * 32 + from + i % 16], what + " at " + i);
            }
        }
    }

    private float[][] softmax(MethodHandle softmax, int rows, float[]... numbers) throws Throwable {
        MemorySegment s = memory.floats(numbers[0]), l = memory.floats(numbers[1]), t = memory.floats(numbers[2]);
        MemorySegment c = memory.bytes(numbers[1].length * 4L);
        softmax.invokeExact(s, l, t, c, (long) rows);
        return new float[][] {Guarded.floats(s), Guarded.floats(l), Guarded.floats(t), Guarded.floats(c)};
    }

    /** Four quads of tiles, of which a vector of 512 bits holds all, one of 256 bits two. */
    @Test
    void winogradIsTheSame() throws Throwable {
        float[] image = numbers(6 * 100), taps = numbers(9 * 16), sums = numbers(36 * 2 * 16), bias = numbers(2);
        float[][] points = new float[2][], factors = new float[2][], outputs = new float[2][];
        for (int wide = 0; wide < 2; wide++) {
            int bits = 256 << wide, lanes = bits / 32, nr = 2 * lanes, vectors = 16 / lanes, side = lanes / 4;
            WinogradKernel f = new WinogradKernel(0.75f, 1.5f, bits);
            long[] quads = LongStream.range(0, 4).map(g -> g * 16 * 4).toArray();
            MemorySegment v = memory.bytes(36L * nr * 4), u = memory.bytes(36 * 16 * 4);
            MethodHandle input = on(bits, f.input(), P, P, P, L, L, L, L);
            input.invokeExact(
                    memory.floats(image), memory.longs(quads), v, nr * 4L, 36L * nr * 4, (long) vectors, 400L);
            points[wide] = columns(Guarded.floats(v), nr);
            on(bits, f.weights(), P, L, P, L, L).invokeExact(memory.floats(taps), 64L, u, 64L, (long) vectors);
            factors[wide] = Guarded.floats(u);
            MemorySegment y = memory.bytes(2 * 4 * 100 * 4);
            MethodHandle output = on(bits, f.output(), P, P, P, L, L, L, P, L);
            for (int vector = 0; vector < vectors; vector++) {
                float[] from = new float[36 * 2 * nr];
                for (int i = 0; i < 36 * 2; i++) System.arraycopy(sums, i * 16 + vector * lanes, from, i * nr, lanes);
                output.invokeExact(
                        memory.floats(from),
                        memory.longs(Arrays.copyOfRange(quads, vector * side, (vector + 1) * side)),
                        y,
                        2 * nr * 4L,
                        2L,
                        4 * 100 * 4L,
                        memory.floats(bias),
                        400L);
            }
            outputs[wide] = Guarded.floats(y);
        }
        for (float[][] both : new float[][][] {points, factors, outputs})
            for (int i = 0; i < both[0].length; i++) same(both[0][i], both[1][i], "at " + i);
    }

    /** The first 16 elements of each row of a panel. */
    private static float[] columns(float[] panels, int nr) {
        float[] columns = new float[panels.length / nr * 16];
        for (int i = 0; i < columns.length; i++) columns[i] = panels[i / 16 * nr + i % 16];
        return columns;
    }
}
