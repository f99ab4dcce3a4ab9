package dev.gyre.diffusion.noise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Numbers that PyTorch 2.13 gives on a CPU; its own kernels differ by 1.7e-6. */
class TorchRandomTest {
    private static final float NEAR = 2e-6f;

    @Test
    void latentsOfSeed42() {
        float[] x = new TorchRandom(42).next(4 * 64 * 64);
        assertArrayEquals(
                new float[] {
                    1.9269153f, 1.4872841f, 0.9007172f, -2.1055210f, 0.6784185f, -1.2345449f, -0.0430675f, -1.6046669f
                },
                Arrays.copyOf(x, 8),
                NEAR);
        assertArrayEquals(
                new float[] {-0.8111438f, -0.6357505f, 0.9728097f, -0.2934061f},
                Arrays.copyOfRange(x, x.length - 4, x.length),
                NEAR);
        assertEquals(149.764800, sum(x), 1e-3);
    }

    @Test
    void latentsOfSeed0() {
        float[] x = new TorchRandom(0).next(4 * 64 * 64);
        assertArrayEquals(
                new float[] {
                    -1.1258398f, -1.1523602f, -0.2505786f, -0.4338788f, 0.8487104f, 0.6920092f, -0.3160128f, -2.1152194f
                },
                Arrays.copyOf(x, 8),
                NEAR);
        assertEquals(-124.112700, sum(x), 1e-3);
    }

    @Test
    void fewerThan16() {
        assertArrayEquals(
                new float[] {-0.1467951f, 0.7861413f, 0.9468216f, -1.1143440f, 1.6907902f},
                new TorchRandom(7).next(5),
                NEAR);
    }

    @Test
    void theOtherHalfOfAPairWaitsThroughALargeDraw() {
        TorchRandom random = new TorchRandom(7);
        assertArrayEquals(new float[] {-0.1467951f, 0.7861413f, 0.9468216f}, random.next(3), NEAR);
        assertArrayEquals(new float[] {-0.17643793f, 1.7501724f, 1.9300169f}, Arrays.copyOf(random.next(16), 3), NEAR);
        assertArrayEquals(new float[] {-1.1143440f, 0.1373241f}, random.next(2), NEAR);
    }

    @ParameterizedTest
    @CsvSource({
        "7, 17, -0.8201345205, -0.8667016029, -6.4156444222",
        "7, 20, -0.8201345205, -0.3567225337, -8.3186439052",
        "3, 31, -0.0766442940, 0.6589139104, -0.5041878410",
        "5, 100, 1.8423298597, -1.0959634781, 1.4552577194"
    })
    void countsThatAreNoMultipleOf16(long seed, int count, float first, float last, double sum) {
        float[] x = new TorchRandom(seed).next(count);
        assertEquals(first, x[0], NEAR);
        assertEquals(last, x[count - 1], NEAR);
        assertEquals(sum, sum(x), 1e-5);
    }

    @Test
    void onlyTheLow32BitsOfTheSeedCount() {
        assertArrayEquals(new TorchRandom(-1).next(32), new TorchRandom((1L << 32) - 1).next(32));
        assertArrayEquals(new TorchRandom(5).next(32), new TorchRandom(5 + (1L << 32)).next(32));
        assertFalse(Arrays.equals(new TorchRandom(5).next(32), new TorchRandom(6).next(32)));
    }

    @Test
    void twoDrawsAreOneLongDraw() {
        TorchRandom random = new TorchRandom(9);
        float[] long_ = new TorchRandom(9).next(2048);
        assertArrayEquals(Arrays.copyOf(long_, 1024), random.next(1024));
        assertArrayEquals(Arrays.copyOfRange(long_, 1024, 2048), random.next(1024));
    }

    private static double sum(float[] x) {
        double sum = 0;
        for (float v : x) sum += v;
        return sum;
    }
}
