package dev.gyre.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.Scratch;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Every tile gives the same bits: a chain of fused multiply-adds from zero, added to C. */
class TileTest {
    @Test
    void tilesGiveTheSameBits() {
        Random random = new Random(1);
        for (int[] s : new int[][] {{1, 1, 1}, {4, 32, 4}, {13, 45, 7}, {24, 512, 256}, {30, 100, 255}}) {
            int rows = s[0], width = s[1], depth = s[2];
            float[] a = numbers(random, 60 * Gemm.DEPTH);
            float[][] b = new float[Gemm.DEPTH + 3][];
            for (int k = 0; k < b.length; k++) b[k] = numbers(random, Gemm.WIDTH);
            float[][] start = new float[60][];
            for (int i = 0; i < start.length; i++) start[i] = numbers(random, Gemm.WIDTH);
            for (Tile tile : new Tile[] {new PlainTile(), new VectorTile()}) {
                float[][] c = new float[60][];
                for (int i = 0; i < c.length; i++) c[i] = start[i].clone();
                tile.multiplyAll(a, b, 3, depth, c, rows, width, new Scratch());
                for (int i = 0; i < rows; i++)
                    for (int j = 0; j < width; j++) {
                        float sum = 0;
                        for (int k = 0; k < depth; k++) sum = Math.fma(a[i * Gemm.DEPTH + k], b[3 + k][j], sum);
                        assertEquals(start[i][j] + sum, c[i][j], 0f, tile.getClass() + " at " + i + ", " + j);
                    }
                for (int i = tile.padded(rows); i < c.length; i++) assertArrayEquals(start[i], c[i]);
            }
        }
    }

    @Test
    void wholeTilesCoverAnyNumberOfRows() {
        assertEquals(24, new VectorTile().padded(13));
        assertEquals(16, new PlainTile().padded(13));
        assertTrue(Gemm.WIDTH % new VectorTile().columns() == 0);
    }

    @Test
    void thisJvmHasTheVectorModuleSoWideProcessorsUseIt() {
        assertEquals(VectorTile.isFast(), Tile.BEST instanceof VectorTile);
    }

    private static float[] numbers(Random random, int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) numbers[i] = (float) random.nextGaussian();
        return numbers;
    }
}
