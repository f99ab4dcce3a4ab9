package dev.gyre.machine.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gyre.machine.Feature;
import dev.gyre.machine.kernel.GemmKernel.Kind;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every kernel against plain loops, on buffers between guard pages: nothing is read or written outside them. */
class KernelTest {
    private static final MemoryLayout P = ValueLayout.ADDRESS, L = ValueLayout.JAVA_LONG;

    private final Random random = new Random(5);

    private float[] numbers(int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) numbers[i] = (float) random.nextGaussian();
        return numbers;
    }

    private float[] pairs(int count) {
        float[] pairs = new float[count];
        for (int i = 0; i < count; i++) pairs[i] = pair((float) random.nextGaussian(), (float) random.nextGaussian());
        return pairs;
    }

    static float pair(float first, float second) {
        return Float.intBitsToFloat(bf16(first) | bf16(second) << 16);
    }

    /** To nearest even. */
    static int bf16(float v) {
        int bits = Float.floatToRawIntBits(v);
        return bits + 0x7FFF + (bits >>> 16 & 1) >>> 16;
    }

    static double dot(float a, float b) {
        int x = Float.floatToRawIntBits(a), y = Float.floatToRawIntBits(b);
        return (double) Float.intBitsToFloat(x << 16) * Float.intBitsToFloat(y << 16)
                + (double) Float.intBitsToFloat(x & 0xFFFF0000) * Float.intBitsToFloat(y & 0xFFFF0000);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void gemmF32(boolean atEnd) throws Throwable {
        for (int bits : new int[] {256, 512})
            for (int rows = 1; rows <= (bits == 512 ? 14 : 6); rows++) {
                GemmKernel product = new GemmKernel(Kind.F32, rows, bits);
                MethodHandle multiply = Placed.on(feature(bits), product.code(), P, P, P, L, L, L);
                for (int depth : new int[] {1, 3, 4, 5, 40}) product(product, multiply, depth, 1 + depth % 3, atEnd);
            }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void gemmBf16(boolean atEnd) throws Throwable {
        for (int rows = 1; rows <= 14; rows++) {
            GemmKernel product = new GemmKernel(Kind.BF16, rows, 512);
            MethodHandle multiply = Placed.on(Feature.AVX512_BF16, product.code(), P, P, P, L, L, L);
            for (int depth : new int[] {1, 3, 4, 5, 40}) product(product, multiply, depth, 1 + depth % 3, atEnd);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void indirectGemmBf16(boolean atEnd) throws Throwable {
        GemmKernel product = new GemmKernel(Kind.BF16, 12, 12, 2, 512, true);
        MethodHandle multiply = Placed.on(Feature.AVX512_BF16, product.code(), P, P, P, L, L, L, P);
        for (int depth : new int[] {1, 3, 4, 5, 40}) product(product, multiply, depth, 1 + depth % 3, atEnd);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void gemmAmx(boolean atEnd) throws Throwable {
        MethodHandle multiply = Placed.on(Feature.AMX_BF16, AmxGemmKernel.code(), P, P, P, L, L, L);
        GemmKernel shape = new GemmKernel(Kind.BF16, 14, 32, 2, 512, false);
        for (int depth : new int[] {1, 3, 15, 16, 17, 32, 40, 47}) tiles(shape, multiply, depth, 1 + depth % 3, atEnd);
    }

    private void tiles(GemmKernel shape, MethodHandle multiply, int depth, int panels, boolean atEnd) throws Throwable {
        run(shape, 32, multiply, depth, panels, atEnd);
    }

    private void product(GemmKernel product, MethodHandle multiply, int depth, int panels, boolean atEnd)
            throws Throwable {
        run(product, product.rows(), multiply, depth, panels, atEnd);
    }

    private void run(GemmKernel product, int rows, MethodHandle multiply, int depth, int panels, boolean atEnd)
            throws Throwable {
        boolean floats = product.kind() == Kind.F32;
        int nr = product.nr(), gap = product.indirect() ? 3 : 0;
        float[] a = floats ? numbers(panels * rows * depth) : pairs(panels * rows * depth);
        float[] b = floats ? numbers(depth * nr) : pairs(depth * (nr + gap) - gap);
        float[] c = numbers(panels * rows * nr);
        long[] table = new long[depth];
        // Backwards, so that the table matters.
        for (int k = 0; k < depth; k++) table[k] = (depth - 1 - k) * (nr + gap) * 4L;
        try (Arena arena = Arena.ofConfined()) {
            Guarded memory = new Guarded(arena, atEnd);
            MemorySegment left = memory.floats(a), right = memory.floats(b), places = memory.longs(table);
            for (long add = 0; add < 2; add++) {
                MemorySegment to = memory.floats(c);
                if (product.indirect()) multiply.invokeExact(left, right, to, (long) depth, (long) panels, add, places);
                else multiply.invokeExact(left, right, to, (long) depth, (long) panels, add);
                float[] result = Guarded.floats(to);
                for (int i = 0; i < panels * rows; i++)
                    for (int j = 0; j < nr; j++) {
                        float chain = 0, first = add == 1 ? c[i * nr + j] : 0;
                        double sum = first;
                        for (int k = 0; k < depth; k++) {
                            float y = b[(product.indirect() ? (int) table[k] / 4 : k * nr) + j];
                            if (floats) chain = Math.fma(a[i / rows * rows * depth + k * rows + i % rows], y, chain);
                            else sum += dot(a[i * depth + k], y);
                        }
                        String where = product + ", depth " + depth + ", add " + add + ": " + i + ", " + j;
                        if (floats) assertEquals(add == 1 ? first + chain : chain, result[i * nr + j], 0f, where);
                        else assertEquals(sum, result[i * nr + j], 2e-5, where);
                    }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void roundsToBf16AlongRows(boolean atEnd) throws Throwable {
        MethodHandle round = Placed.on(Feature.AVX512_BF16, ToBf16.alongRows(), P, L, P, L, L, L);
        for (int count = 1; count < 100; count++) {
            int rows = 1 + count % 3, width = (count + 1) / 2;
            float[] from = numbers(rows * count);
            from[0] = Float.intBitsToFloat(0x3F808000); // a tie: to the even neighbour
            try (Arena arena = Arena.ofConfined()) {
                Guarded memory = new Guarded(arena, atEnd);
                MemorySegment to = memory.bytes(rows * width * 4L);
                round.invokeExact(memory.floats(from), count * 4L, to, width * 4L, (long) rows, (long) count);
                for (int row = 0; row < rows; row++)
                    for (int i = 0; i < width; i++) {
                        float second = 2 * i + 1 < count ? from[row * count + 2 * i + 1] : 0;
                        same(pair(from[row * count + 2 * i], second), to, row * width + i);
                    }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void roundsToBf16AcrossRows(boolean atEnd) throws Throwable {
        MethodHandle round = Placed.on(Feature.AVX512_BF16, ToBf16.acrossRows(), P, L, P, L, L, L);
        for (int count = 1; count < 70; count++) {
            int rows = 1 + count % 5;
            float[] from = numbers(rows * count);
            try (Arena arena = Arena.ofConfined()) {
                Guarded memory = new Guarded(arena, atEnd);
                MemorySegment to = memory.bytes((rows + 1) / 2 * count * 4L);
                round.invokeExact(memory.floats(from), count * 4L, to, count * 4L, (long) rows, (long) count);
                for (int row = 0; row < rows; row += 2)
                    for (int i = 0; i < count; i++)
                        same(
                                pair(from[row * count + i], row + 1 < rows ? from[(row + 1) * count + i] : 0),
                                to,
                                row / 2 * count + i);
            }
        }
    }

    private static void same(float expected, MemorySegment to, int at) {
        assertEquals(
                Float.floatToRawIntBits(expected), to.getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, at), "pair " + at);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void storesPanels(boolean atEnd) throws Throwable {
        for (int bits : new int[] {256, 512})
            for (boolean perRow : new boolean[] {true, false}) {
                int nr = bits / 16;
                MethodHandle store = Placed.on(feature(bits), PanelKernels.store(bits, perRow), P, P, L, L, L, P);
                for (int count = 1; count <= nr; count++) {
                    int rows = 1 + count % 4;
                    float[] from = numbers((rows - 1) * nr + count), bias = numbers(perRow ? rows : count);
                    try (Arena arena = Arena.ofConfined()) {
                        Guarded memory = new Guarded(arena, atEnd);
                        MemorySegment to = memory.bytes(rows * count * 4L);
                        store.invokeExact(
                                memory.floats(from), to, (long) rows, (long) count, count * 4L, memory.floats(bias));
                        float[] result = Guarded.floats(to);
                        for (int i = 0; i < rows; i++)
                            for (int j = 0; j < count; j++)
                                assertEquals(from[i * nr + j] + bias[perRow ? i : j], result[i * count + j]);
                    }
                }
            }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void packsRows(boolean atEnd) throws Throwable {
        for (int bits : new int[] {256, 512})
            for (int width = 2; width <= bits / 16; width += 2) {
                int fromStride = width + 3;
                MethodHandle load =
                        Placed.on(feature(bits), PanelKernels.load(width, bits, width % 4 == 0), P, L, P, L);
                for (int rows = 1; rows < 6; rows++) {
                    float[] from = numbers((rows - 1) * fromStride + width);
                    try (Arena arena = Arena.ofConfined()) {
                        Guarded memory = new Guarded(arena, atEnd);
                        MemorySegment to = memory.bytes(rows * width * 4L);
                        load.invokeExact(memory.floats(from), fromStride * 4L, to, (long) rows);
                        float[] result = Guarded.floats(to);
                        for (int i = 0; i < result.length; i++)
                            assertEquals(from[i / width * fromStride + i % width], result[i]);
                    }
                }
            }
    }

    /** Any bit pattern is copied unchanged, NaNs included. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void transposes(boolean atEnd) throws Throwable {
        MethodHandle transpose = Placed.on(Feature.AVX2, Transpose.code(false), P, L, P, L, L, L);
        MethodHandle scaled = Placed.on(Feature.AVX2, Transpose.code(true), P, L, P, L, L, L, P);
        for (int rows = 1; rows <= 17; rows++)
            for (int columns = 1; columns <= 13; columns++) {
                int fromStride = columns + rows % 3, toStride = rows + columns % 3;
                float[] from = numbers((rows - 1) * fromStride + columns);
                from[0] = Float.intBitsToFloat(0x7F800001);
                float[] before = numbers((columns - 1) * toStride + rows);
                try (Arena arena = Arena.ofConfined()) {
                    Guarded memory = new Guarded(arena, atEnd);
                    MemorySegment x = memory.floats(from), y = memory.floats(before), z = memory.floats(before);
                    transpose.invokeExact(x, fromStride * 4L, y, toStride * 4L, (long) rows, (long) columns);
                    MemorySegment scale = memory.floats(new float[] {0.3f});
                    scaled.invokeExact(x, fromStride * 4L, z, toStride * 4L, (long) rows, (long) columns, scale);
                    float[] after = Guarded.floats(z);
                    for (int i = 0; i < before.length; i++) {
                        int row = i % toStride, at = row * fromStride + i / toStride;
                        same(row < rows ? from[at] : before[i], y, i);
                        if (at > 0) assertEquals(row < rows ? from[at] * 0.3f : before[i], after[i]);
                    }
                }
            }
    }

    /** All 65,536 elements of either type. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void widens16BitElements(boolean atEnd) throws Throwable {
        MethodHandle f16 = Placed.on(Feature.AVX2, ToF32.f16(), P, P, L);
        MethodHandle bf16 = Placed.on(Feature.AVX2, ToF32.bf16(), P, P, L);
        int count = 1 << 16;
        try (Arena arena = Arena.ofConfined()) {
            Guarded memory = new Guarded(arena, atEnd);
            MemorySegment from = memory.bytes(count * 2L), to = memory.bytes(count * 4L);
            for (int i = 0; i < count; i++) from.setAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i, (short) i);
            f16.invokeExact(from, to, (long) count / ElementwiseKernels.UNROLL);
            for (int i = 0; i < count; i++) same(Float.float16ToFloat((short) i), to, i);
            bf16.invokeExact(from, to, (long) count / ElementwiseKernels.UNROLL);
            for (int i = 0; i < count; i++) same(Float.intBitsToFloat(i << 16), to, i);
        }
    }

    private static Feature feature(int bits) {
        return bits == 512 ? Feature.AVX512 : Feature.AVX2;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void scalesAndGathersPanels(boolean atEnd) throws Throwable {
        try (Arena arena = Arena.ofConfined()) {
            Guarded memory = new Guarded(arena, atEnd);
            for (int bits : new int[] {256, 512}) {
                MethodHandle scale = Placed.on(feature(bits), PanelKernels.scale(bits), P, P, L);
                int width = bits / 16;
                float[] c = numbers(7 * width), factors = numbers(width);
                MemorySegment to = memory.floats(c);
                scale.invokeExact(to, memory.floats(factors), 7L);
                float[] result = Guarded.floats(to);
                for (int i = 0; i < c.length; i++) assertEquals(c[i] * factors[i % width], result[i]);
            }
            for (int bits : new int[] {256, 512}) {
                int width = bits / 16;
                MethodHandle gather = Placed.on(feature(bits), PanelKernels.gather(bits), P, P, L, P);
                float[] from = numbers(68 + width);
                MemorySegment to = memory.bytes(3 * width * 4L);
                gather.invokeExact(memory.floats(from), to, 3L, memory.longs(new long[] {4 * 68, 0, 4 * 5}));
                float[] result = Guarded.floats(to);
                for (int i = 0; i < width; i++) {
                    assertEquals(from[68 + i], result[i]);
                    assertEquals(from[i], result[width + i]);
                    assertEquals(from[5 + i], result[2 * width + i]);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void softmaxesPanels(boolean atEnd) throws Throwable {
        for (int bits : new int[] {256, 512}) {
            MethodHandle softmax = Placed.on(
                    bits == 512 ? Feature.AVX512 : Feature.AVX2, ExpKernelsTest.EXP.softmax(bits), P, P, P, P, L);
            for (int rows = 1; rows < 9; rows++) softmax(softmax, bits / 16, rows, false, atEnd);
        }
        MethodHandle softmax = Placed.on(Feature.AVX512_BF16, Exp2KernelsTest.POWER.softmax(), P, P, P, P, L);
        for (int rows = 1; rows < 9; rows++) softmax(softmax, 32, rows, true, atEnd);
    }

    /** The second of two blocks. */
    private void softmax(MethodHandle softmax, int width, int rows, boolean pairs, boolean atEnd) throws Throwable {
        float[] scores = numbers(rows * width), largest = numbers(width), total = numbers(width);
        for (int j = 0; j < width; j++) total[j] = Math.abs(total[j]) + 1;
        scores[0] = Float.NEGATIVE_INFINITY;
        try (Arena arena = Arena.ofConfined()) {
            Guarded memory = new Guarded(arena, atEnd);
            MemorySegment s = memory.floats(scores), l = memory.floats(largest), t = memory.floats(total);
            MemorySegment c = memory.bytes(width * 4L);
            softmax.invokeExact(s, l, t, c, (long) rows);
            float[] e = Guarded.floats(s), newLargest = Guarded.floats(l), newTotal = Guarded.floats(t);
            float[] correction = Guarded.floats(c);
            double base = pairs ? 2 : Math.E;
            for (int j = 0; j < width; j++) {
                double most = largest[j];
                for (int i = 0; i < rows; i++) most = Math.max(most, scores[i * width + j]);
                double factor = Math.pow(base, largest[j] - most), sum = total[j] * factor;
                for (int i = 0; i < rows; i++) {
                    double power = Math.pow(base, scores[i * width + j] - most);
                    sum += power;
                    float got = e[i * width + j];
                    if (pairs) {
                        int both = Float.floatToRawIntBits(e[i / 2 * width + j]);
                        got = Float.intBitsToFloat(i % 2 == 0 ? both << 16 : both & 0xFFFF0000);
                    }
                    assertEquals(power, got, (pairs ? 0.004 : 1e-6) * power + 1e-30, "row " + i + " of " + rows);
                }
                if (pairs && rows % 2 == 1)
                    assertEquals(0, Float.floatToRawIntBits(e[rows / 2 * width + j]) >>> 16, "an odd row's partner");
                assertEquals((float) most, newLargest[j]);
                assertEquals(factor, correction[j], 5e-6 * factor);
                assertEquals(sum, newTotal[j], 5e-6 * sum);
            }
        }
    }

    /** All three transforms: together they convolve one channel's tiles with some outputs' taps. */
    @ParameterizedTest
    @CsvSource({"256, true", "256, false", "512, true", "512, false"})
    void winograd(int bits, boolean atEnd) throws Throwable {
        WinogradKernel f = new WinogradKernel(0.75f, 1.5f, bits);
        Feature feature = bits == 512 ? Feature.AVX512 : Feature.AVX2;
        MethodHandle input = Placed.on(feature, f.input(), P, P, P, L, L, L, L);
        MethodHandle weights = Placed.on(feature, f.weights(), P, L, P, L, L);
        MethodHandle output = Placed.on(feature, f.output(), P, P, P, L, L, L, P, L);
        // A vector's quads side by side and two more vectors below: a panel and a half.
        int lanes = bits / 32, nr = 2 * lanes, side = bits / 128, vectors = 3, rows = lanes;
        int width = side * 16, pitch = width + 4, height = 4 * vectors, place = 2 * 36 * nr;
        float[] image = numbers((height + 2) * pitch), taps = numbers(9 * rows), bias = numbers(rows);
        long[] from = new long[vectors * side], to = new long[vectors * side];
        for (int g = 0; g < from.length; g++) {
            from[g] = (g / side * 4L * pitch + g % side * 16) * 4;
            to[g] = (g / side * 4L * width + g % side * 16) * 4;
        }
        try (Arena arena = Arena.ofConfined()) {
            Guarded memory = new Guarded(arena, atEnd);
            // Only half of the last panel is written: the rest does not exist.
            MemorySegment v = memory.bytes((place - lanes) * 4L), u = memory.bytes(36L * rows * 4);
            input.invokeExact(
                    memory.floats(image), memory.longs(from), v, nr * 4L, 36L * nr * 4, (long) vectors, pitch * 4L);
            weights.invokeExact(memory.floats(taps), rows * 4L, u, rows * 4L, (long) rows / lanes);
            float[] points = Arrays.copyOf(Guarded.floats(v), place), factors = Guarded.floats(u);
            MemorySegment y = memory.bytes(rows * height * width * 4L);
            for (int vector = 0; vector < vectors; vector++) {
                float[] sums = new float[36 * rows * nr];
                for (int i = 0; i < sums.length; i++) {
                    int p = i / nr / rows, row = i / nr % rows;
                    sums[i] = points[(vector / 2 * 36 + p) * nr + i % nr] * factors[p * rows + row];
                }
                int half = vector % 2 * lanes, first = vector * side;
                output.invokeExact(
                        memory.floats(Arrays.copyOfRange(sums, half, sums.length - lanes + half)),
                        memory.longs(Arrays.copyOfRange(to, first, first + side)),
                        y,
                        rows * nr * 4L,
                        (long) rows,
                        height * width * 4L,
                        memory.floats(bias),
                        width * 4L);
            }
            float[] result = Guarded.floats(y);
            for (int i = 0; i < result.length; i++) {
                int row = i / width / height, r = i / width % height, c = i % width;
                double sum = bias[row];
                for (int tap = 0; tap < 9; tap++)
                    sum += (double) taps[tap * rows + row] * image[(r + tap / 3) * pitch + c + tap % 3];
                assertEquals(sum, result[i], 5e-5, row + ": " + r + ", " + c);
            }
        }
    }
}
