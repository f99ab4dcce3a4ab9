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
    static Stream<MicroKernel> microKernels() {
        Stream<MicroKernel> always =
                ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
                        ? Stream.of(new ScalarKernel(), new VectorKernel())
                        : Stream.of(new ScalarKernel());
        return MachineMicroKernel.isAvailable() ? Stream.concat(always, Stream.of(new MachineMicroKernel())) : always;
    }

    @ParameterizedTest
    @MethodSource("microKernels")
    void aProductIsAChainOfMultiplyAdds(MicroKernel micro) {
        Random random = new Random(1);
        for (int[] s : new int[][] {
            {1, 1, 1}, {2, 40, 9}, {4, 32, 4}, {13, 45, 7}, {24, 512, 256}, {30, 100, 255}, {19, 33, 12}
        }) {
            int rows = s[0], width = s[1], depth = s[2];
            float[][] a = numbers(random, rows, depth),
                    b = numbers(random, depth, width),
                    c = numbers(random, rows, width);
            float[] packedA = packedA(micro, a, depth);
            float[][] right = panels(micro, b, depth, width), to = panels(micro, c, micro.padded(rows), width);
            for (boolean add : new boolean[] {true, false}) {
                for (int panel = 0; panel < micro.panels(width); panel++)
                    micro.multiply(
                            add,
                            packedA,
                            0,
                            right,
                            panel * micro.arrays(depth),
                            depth,
                            to,
                            panel * micro.arrays(micro.padded(rows)),
                            0,
                            rows,
                            Math.min(micro.nr(), width - panel * micro.nr()),
                            new Scratch());
                for (int i = 0; i < rows; i++) {
                    float[] line = new float[width];
                    micro.unpackRow(to, 0, micro.arrays(micro.padded(rows)), i, 0, line, 0, width);
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
    @MethodSource("microKernels")
    void packedRowsAreUnpackedFromAnyColumn(MicroKernel micro) {
        float[] row = numbers(new Random(2), 1, 700)[0], back = new float[700];
        int arrays = micro.arrays(5) + 2; // panels need not be contiguous
        float[][] panels = new float[micro.panels(1100) * arrays][micro.arrayLength(5)];
        for (int column : new int[] {0, 1, micro.nr() - 1, micro.nr(), 400}) {
            micro.packRow(row, 3, 650, panels, 0, arrays, 4, column);
            micro.unpackRow(panels, 0, arrays, 4, column, back, 3, 650);
            for (int i = 3; i < 653; i++) assertEquals(row[i], back[i]);
        }
    }

    @ParameterizedTest
    @MethodSource("microKernels")
    void aSoftmaxInTwoBlocksIsOne(MicroKernel micro) {
        int rows = 40, width = micro.nr();
        float[][] scores = numbers(new Random(3), rows, width);
        for (int j = 0; j < width; j++) {
            scores[0][j] *= 100;
            scores[3][j] = Float.NEGATIVE_INFINITY;
        }
        float[] largest = new float[width], total = new float[width], correction = new float[width];
        java.util.Arrays.fill(largest, Float.NEGATIVE_INFINITY);
        for (int block = 0; block < rows; block += 20) {
            float[][] part = panels(micro, java.util.Arrays.copyOfRange(scores, block, block + 20), 20, width);
            micro.softmax(part, 0, 20, width, largest, total, correction, 0, new Scratch());
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
    void allMicroKernelsGiveTheSameSoftmax() {
        float[][] scores = numbers(new Random(4), 20, 512);
        List<MicroKernel> microKernels = microKernels().toList();
        float[][] totals = new float[microKernels.size()][512];
        for (int t = 0; t < microKernels.size(); t++) {
            MicroKernel micro = microKernels.get(t);
            float[] largest = new float[512], correction = new float[512];
            java.util.Arrays.fill(largest, Float.NEGATIVE_INFINITY);
            float[][] panels = panels(micro, scores, 20, 512);
            for (int i = 0; i < micro.panels(512); i++)
                micro.softmax(
                        panels,
                        i * micro.arrays(20),
                        20,
                        micro.nr(),
                        largest,
                        totals[t],
                        correction,
                        i * micro.nr(),
                        new Scratch());
        }
        for (float[] other : totals) for (int j = 0; j < 512; j++) assertEquals(totals[0][j], other[j], 0f);
    }

    @Test
    void wholePanelsCoverAnyNumberOfRows() {
        assertEquals(16, new ScalarKernel().padded(13));
        assertEquals(0, new VectorKernel().padded(13) % new VectorKernel().mr());
    }

    @Test
    void theFastestAvailableMicroKernelIsUsed() {
        assertTrue(
                MachineMicroKernel.isAvailable()
                        ? MicroKernels.best() instanceof MachineMicroKernel
                        : MicroKernels.best() instanceof VectorKernel);
    }

    private static float[] packedA(MicroKernel micro, float[][] a, int depth) {
        float[] packedA = new float[micro.padded(a.length) * depth];
        for (int i = 0; i < a.length; i++)
            for (int k = 0; k < depth; k++)
                packedA[i / micro.mr() * micro.mr() * depth + k * micro.mr() + i % micro.mr()] = a[i][k];
        return packedA;
    }

    private static float[][] panels(MicroKernel micro, float[][] rows, int height, int width) {
        float[][] panels = new float[micro.panels(width) * micro.arrays(height)][micro.arrayLength(height)];
        for (int i = 0; i < rows.length; i++) micro.packRow(rows[i], 0, width, panels, 0, micro.arrays(height), i, 0);
        return panels;
    }

    private static float[][] numbers(Random random, int rows, int columns) {
        float[][] numbers = new float[rows][columns];
        for (float[] row : numbers) for (int i = 0; i < columns; i++) row[i] = (float) random.nextGaussian();
        return numbers;
    }
}
