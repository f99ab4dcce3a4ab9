package dev.gyre.diffusion.noise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Numbers that PyTorch gives on an Nvidia GPU. */
class PhiloxRandomTest {
    @Test
    void knownAnswersOfTheGenerator() {
        assertArrayEquals(
                new int[] {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, PhiloxRandom.philox(new int[4], 0, 0));
        // Random123's second and third vectors.
        int[] ones = {-1, -1, -1, -1};
        assertArrayEquals(
                new int[] {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}, PhiloxRandom.philox(ones, -1, -1));
        int[] pi = {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344};
        assertArrayEquals(
                new int[] {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
                PhiloxRandom.philox(pi, 0xa4093822, 0x299f31d0));
    }

    @Test
    void latentsOfSeed0() {
        assertArrayEquals(
                new float[] {-0.92466241f, -0.42534393f, -2.6438458f, 0.14518386f, -0.12086657f, -0.57972574f},
                Arrays.copyOf(new PhiloxRandom(0).next(4 * 64 * 64), 6),
                1e-6f);
    }

    @Test
    void everyCallIsAnotherAndOfAnyLength() {
        PhiloxRandom random = new PhiloxRandom(5);
        float[] first = random.next(16), second = random.next(16);
        assertFalse(Arrays.equals(first, second));
        assertArrayEquals(Arrays.copyOf(first, 5), new PhiloxRandom(5).next(5));
        assertFalse(Arrays.equals(new PhiloxRandom(5 + (1L << 32)).next(16), first));
    }

    @Test
    void theNumbersAreStandardNormal() {
        float[] x = new PhiloxRandom(42).next(100_000);
        double mean = 0, square = 0;
        for (float v : x) {
            mean += v / x.length;
            square += (double) v * v / x.length;
        }
        assertEquals(0, mean, 0.01);
        assertEquals(1, square, 0.02);
    }
}
