package dev.gyre.nn.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gyre.core.Scratch;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Machine code gives the same bits as the loops that process the remainder, so an image does not depend on which of them ran. */
class MachineElementwiseTest {
    private static final int COUNT = 3 * (1 << 16) + 16 + 5, WHOLE = COUNT / 16 * 16;
    private final float[] x = numbers(1), y = numbers(2);
    private final MemorySegment from = MemorySegment.ofArray(x);
    private final float[] got = new float[COUNT];
    private final MemorySegment to = MemorySegment.ofArray(got);

    private static float[] numbers(int seed) {
        Random random = new Random(seed);
        float[] numbers = new float[COUNT];
        for (int i = 0; i < COUNT; i++) numbers[i] = (float) random.nextGaussian() * (i % 7 == 0 ? 40 : 2);
        numbers[3] = -0f;
        numbers[70_000] = Float.POSITIVE_INFINITY;
        numbers[70_001] = Float.NaN;
        return numbers;
    }

    @BeforeEach
    void machine() {
        assumeTrue(MachineMicroKernel.isAvailable(), "not run: " + MachineMicroKernel.refusal());
    }

    private void holds(int done, float[] expected) {
        assertEquals(WHOLE, done);
        for (int i = WHOLE; i < COUNT; i++) expected[i] = 0; // left to the caller
        assertArrayEquals(expected, got);
    }

    @Test
    void add() {
        float[] expected = new float[COUNT];
        for (int i = 0; i < COUNT; i++) expected[i] = x[i] + 0.3f * y[i];
        holds(MachineElementwise.add(from, MemorySegment.ofArray(y), to, 0, COUNT, 0.3f), expected);
    }

    @Test
    void scale() {
        float[] expected = new float[COUNT];
        for (int i = 0; i < COUNT; i++) expected[i] = Math.fma(x[i] - 0.4f, 1.3f, 7f);
        holds(MachineElementwise.scale(from, to, 0, COUNT, 0.4f, 1.3f, 7f), expected);
    }

    @Test
    void silu() {
        float[] expected = x.clone();
        for (int at = 0; at < COUNT; at += Elementwise.BLOCK) {
            int n = Math.min(Elementwise.BLOCK, COUNT - at);
            float[] v = new float[Elementwise.BLOCK];
            System.arraycopy(x, at, v, 0, n);
            Elementwise.siluInPlace(v, n, 1.7f, new Scratch());
            System.arraycopy(v, 0, expected, at, n);
        }
        holds(MachineElementwise.silu(from, to, 0, COUNT, 0f, 1f, -0f, 1.7f), expected);
    }

    @Test
    void geglu() {
        float[] both = new float[2 * COUNT], expected = y.clone();
        System.arraycopy(x, 0, both, 0, COUNT);
        System.arraycopy(y, 0, both, COUNT, COUNT);
        Elementwise.gelu(expected, COUNT);
        for (int i = 0; i < COUNT; i++) expected[i] *= x[i];
        holds(MachineElementwise.geglu(MemorySegment.ofArray(both), 0, COUNT, to, 0, COUNT), expected);
    }

    @Test
    void moments() {
        int count = 1000 + 5; // from an unaligned index
        float mean = 0.2f;
        float[] sums = new float[16], squared = new float[16];
        for (int i = 0; i < count / 16 * 16; i++) {
            sums[i % 16] += x[7 + i];
            squared[i % 16] = Math.fma(x[7 + i] - mean, x[7 + i] - mean, squared[i % 16]);
        }
        float rest = 0, restSquared = 0;
        for (int i = count / 16 * 16; i < count; i++) {
            rest += x[7 + i];
            restSquared = Math.fma(x[7 + i] - mean, x[7 + i] - mean, restSquared);
        }
        for (int half = 8; half > 0; half /= 2)
            for (int c = 0; c < half; c++) {
                sums[c] += sums[c + half];
                squared[c] += squared[c + half];
            }
        float sum = sums[0] + rest, squares = squared[0] + restSquared;
        assertEquals(sum, Moments.sum(from, 7, count, new Scratch()));
        assertEquals(squares, Moments.squaredDifferences(from, 7, count, mean, new Scratch()));
    }
}
