package dev.gyre.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Q8Test {
    @Test
    void aBlockIsAScaleAndItsBytes() {
        try (Arena arena = Arena.ofConfined()) {
            float[] values = new float[32];
            values[0] = 127;
            values[1] = -127;
            values[2] = 2.4f;
            values[31] = -2.6f;
            Tensor q8 = Q8.of(Tensor.of(values, 32), arena);
            assertEquals(34, q8.data().byteSize());
            assertEquals(Float.floatToFloat16(1), q8.data().get(Tensor.SHORT, 0));
            float[] expected = new float[32];
            expected[0] = 127;
            expected[1] = -127;
            expected[2] = 2;
            expected[31] = -3;
            assertArrayEquals(expected, q8.floats());
        }
    }

    @Test
    void everyElementIsWithinHalfAQuantizationStep() {
        Random random = new Random(3);
        float[] values = new float[32 * 301];
        for (int i = 0; i < values.length; i++) values[i] = (float) (random.nextGaussian() * Math.exp(i / 3000.0));
        Arrays.fill(values, 64, 96, 0f);
        try (Arena arena = Arena.ofConfined()) {
            float[] back = Q8.of(Tensor.of(values, 301, 32), arena).floats();
            for (int block = 0; block < values.length; block += 32) {
                float largest = 0;
                for (int i = 0; i < 32; i++) largest = Math.max(largest, Math.abs(values[block + i]));
                // Half a step, and the rounding of the scale to 11 bits, 127 times at most.
                double allowed = largest / 127 * (0.5 + 127 * 0x1p-11) * 1.001;
                for (int i = 0; i < 32; i++)
                    assertTrue(Math.abs(values[block + i] - back[block + i]) <= allowed, "at " + (block + i));
            }
        }
    }

    @Test
    void anyRangeReadsLikeTheWhole() {
        Random random = new Random(5);
        float[] values = new float[32 * 9];
        for (int i = 0; i < values.length; i++) values[i] = random.nextFloat() - 0.5f;
        try (Arena arena = Arena.ofConfined()) {
            Tensor q8 = Q8.of(Tensor.of(values, 9, 32), arena);
            float[] whole = q8.floats();
            for (short[] scratch : new short[][] {new short[1], new short[17], new short[50], new short[4096]})
                for (int round = 0; round < 100; round++) {
                    int from = random.nextInt(values.length), count = random.nextInt(values.length - from + 1);
                    float[] part = new float[count + 3];
                    q8.read(from, part, 2, count, scratch);
                    assertArrayEquals(
                            Arrays.copyOfRange(whole, from, from + count), Arrays.copyOfRange(part, 2, 2 + count));
                }
        }
    }

    @Test
    void unsupportedTensorsAreRefused() {
        assertFalse(Q8.fits(Shape.of(3, 5)));
        try (Arena arena = Arena.ofConfined()) {
            Exception e =
                    assertThrows(IllegalArgumentException.class, () -> Q8.of(Tensor.of(new float[15], 3, 5), arena));
            assertEquals("Q8_0 comes in blocks of 32 elements, got 15 elements", e.getMessage());
            float[] large = new float[32];
            large[4] = 1e9f;
            assertThrows(ArithmeticException.class, () -> Q8.of(Tensor.of(large, 32), arena));
            large[4] = Float.NaN;
            assertThrows(ArithmeticException.class, () -> Q8.of(Tensor.of(large, 32), arena));
        }
    }
}
