package dev.gyre.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The product in AMX's tiles, emulated: right results on any processor. Where there is AMX, KernelTest runs it. */
class TileProductTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 15, 16, 17, 32, 47})
    void emulated(int depth) {
        Random random = new Random(depth);
        Code code = TileProduct.code();
        for (int bands = 1; bands <= 2; bands++)
            for (long add = 0; add < 2; add++) {
                int rows = 32 * bands, a = 64, b = a + rows * depth * 4, c = b + depth * 128;
                TileEmulator machine = new TileEmulator(c + rows * 128 + 4096);
                for (int i = a; i < b + depth * 128; i += 4)
                    machine.memory.putFloat(
                            i, KernelTest.pair((float) random.nextGaussian(), (float) random.nextGaussian()));
                float[] before = new float[rows * 32];
                for (int i = 0; i < before.length; i++)
                    machine.memory.putFloat(c + i * 4, before[i] = (float) random.nextGaussian());
                machine.memory.putInt(c + rows * 128, 0x12345678);
                machine.call(code, a, b, c, depth, bands, add);
                assertEquals(0x12345678, machine.memory.getInt(c + rows * 128), "beyond C");
                for (int i = 0; i < rows; i++)
                    for (int j = 0; j < 32; j++) {
                        double sum = add * before[i * 32 + j];
                        for (int k = 0; k < depth; k++)
                            sum += KernelTest.dot(
                                    machine.memory.getFloat(a + (i * depth + k) * 4),
                                    machine.memory.getFloat(b + (k * 32 + j) * 4));
                        assertEquals(
                                sum,
                                machine.memory.getFloat(c + (i * 32 + j) * 4),
                                2e-5,
                                "depth " + depth + ", bands " + bands + ", add " + add + ": " + i + ", " + j);
                    }
            }
    }
}
