package dev.gyre.nn.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.Scratch;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every tile gives the same bits: a chain of fused multiply-adds from zero, and one softmax. */
@Tag("processor")
class MicroKernelTest {
    static Stream<MicroKernel> tiles() {
        Stream<MicroKernel> always =
                ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
                        ? Stream.of(new ScalarKernel(), new VectorKernel())
                        : Stream.of(new ScalarKernel());
        return MachineMicroKernel.isAvailable() ? Stream.concat(always, Stream.of(new MachineMicroKernel())) : always;
    }

    @ParameterizedTest
    @MethodSource("tiles")
    void aProductIsAChainOfMultiplyAdds(MicroKernel tile) {
        Random random = new Random(1);
        for (int[] s : new int[][] {
            {1, 1, 1}, {2, 40, 9}, {4, 32, 4}, {13, 45, 7}, {24, 512, 256}, {30, 100, 255}, {19, 33, 12}
        }) {
            int rows = s[0], width = s[1], depth = s[2];
            float[][] a = numbers(random, rows, depth),
                    b = numbers(random, depth, width),
                    c = numbers(random, rows, width);
            float[] bands = bands(tile, a, depth);
            float[][] right = strips(tile, b, depth, width), to = strips(tile, c, tile.padded(rows), width);
            for (boolean add : new boolean[] {true, false}) {
                for (int strip = 0; strip < tile.panels(width); strip++)
                    tile.multiply(
                            add,
                            bands,
                            0,
                            right,
                            strip * tile.arrays(depth),
                            depth,
                            to,
                            strip * tile.arrays(tile.padded(rows)),
                            0,
                            rows,
                            Math.min(tile.nr(), width - strip * tile.nr()),
                            new Scratch());
                for (int i = 0; i < rows; i++) {
                    float[] line = new float[width];
                    tile.unpackRow(to, 0, tile.arrays(tile.padded(rows)), i, 0, line, 0, width);
                    for (int j = 0; j < width; j++) {
                        float sum = 0;
                        for (int k = 0; k < depth; k++) sum = Math.fma(a[i][k], b[k][j], sum);
                        assertEquals(add ? c[i][j] + sum : sum, line[j], 0f, i + ", " + j);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("tiles")
    void rowsInStripsComeBackFromAnyColumn(MicroKernel tile) {
        float[] row = numbers(new Random(2), 1, 700)[0], back = new float[700];
        int lines = tile.arrays(5) + 2; // strips need not follow one another at once
        float[][] strips = new float[tile.panels(1100) * lines][tile.arrayLength(5)];
        for (int column : new int[] {0, 1, tile.nr() - 1, tile.nr(), 400}) {
            tile.packRow(row, 3, 650, strips, 0, lines, 4, column);
            tile.unpackRow(strips, 0, lines, 4, column, back, 3, 650);
            for (int i = 3; i < 653; i++) assertEquals(row[i], back[i]);
        }
    }

    @ParameterizedTest
    @MethodSource("tiles")
    void aSoftmaxInTwoBlocksIsOne(MicroKernel tile) {
        int rows = 40, width = tile.nr();
        float[][] scores = numbers(new Random(3), rows, width);
        for (int j = 0; j < width; j++) {
            scores[0][j] *= 100;
            scores[3][j] = Float.NEGATIVE_INFINITY;
        }
        float[] largest = new float[width], total = new float[width], correction = new float[width];
        java.util.Arrays.fill(largest, Float.NEGATIVE_INFINITY);
        for (int block = 0; block < rows; block += 20) {
            float[][] part = strips(tile, java.util.Arrays.copyOfRange(scores, block, block + 20), 20, width);
            tile.softmax(part, 0, 20, width, largest, total, correction, 0, new Scratch());
        }
        for (int j = 0; j < width; j++) {
            double most = Double.NEGATIVE_INFINITY, sum = 0;
            for (float[] row : scores) most = Math.max(most, row[j]);
            for (float[] row : scores) sum += Math.exp(row[j] - most);
            assertEquals(most, largest[j]);
            assertEquals(sum, total[j], 2e-6 * sum);
        }
    }

    @Test
    void allTilesGiveOneSoftmax() {
        float[][] scores = numbers(new Random(4), 20, 512);
        List<MicroKernel> tiles = tiles().toList();
        float[][] totals = new float[tiles.size()][512];
        for (int t = 0; t < tiles.size(); t++) {
            MicroKernel tile = tiles.get(t);
            float[] largest = new float[512], correction = new float[512];
            java.util.Arrays.fill(largest, Float.NEGATIVE_INFINITY);
            float[][] strips = strips(tile, scores, 20, 512);
            for (int i = 0; i < tile.panels(512); i++)
                tile.softmax(
                        strips,
                        i * tile.arrays(20),
                        20,
                        tile.nr(),
                        largest,
                        totals[t],
                        correction,
                        i * tile.nr(),
                        new Scratch());
        }
        for (float[] other : totals) for (int j = 0; j < 512; j++) assertEquals(totals[0][j], other[j], 0f);
    }

    @Test
    void wholeBandsCoverAnyNumberOfRows() {
        assertEquals(16, new ScalarKernel().padded(13));
        assertEquals(0, new VectorKernel().padded(13) % new VectorKernel().mr());
    }

    @Test
    void theFastestTileThatIsThereIsUsed() {
        assertTrue(
                MachineMicroKernel.isAvailable()
                        ? MicroKernels.best() instanceof MachineMicroKernel
                        : MicroKernels.best() instanceof VectorKernel);
    }

    private static float[] bands(MicroKernel tile, float[][] a, int depth) {
        float[] bands = new float[tile.padded(a.length) * depth];
        for (int i = 0; i < a.length; i++)
            for (int k = 0; k < depth; k++)
                bands[i / tile.mr() * tile.mr() * depth + k * tile.mr() + i % tile.mr()] = a[i][k];
        return bands;
    }

    private static float[][] strips(MicroKernel tile, float[][] rows, int height, int width) {
        float[][] strips = new float[tile.panels(width) * tile.arrays(height)][tile.arrayLength(height)];
        for (int i = 0; i < rows.length; i++) tile.packRow(rows[i], 0, width, strips, 0, tile.arrays(height), i, 0);
        return strips;
    }

    private static float[][] numbers(Random random, int rows, int columns) {
        float[][] numbers = new float[rows][columns];
        for (float[] row : numbers) for (int i = 0; i < columns; i++) row[i] = (float) random.nextGaussian();
        return numbers;
    }
}
