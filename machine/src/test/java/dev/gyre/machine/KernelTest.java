package dev.gyre.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gyre.machine.Product.Kind;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every kernel against plain loops, on buffers between guard pages: nothing is read or written outside of them. */
class KernelTest {
    private static final MemoryLayout P = ValueLayout.ADDRESS, L = ValueLayout.JAVA_LONG;

    private final Random random = new Random(5);

    private static MethodHandle place(Feature feature, Code code, MemoryLayout... arguments) {
        assumeTrue(Machine.HERE.has(feature), "not run: this processor has no " + feature + ", or it is switched off");
        return Machine.HERE.place(code, FunctionDescriptor.ofVoid(arguments));
    }

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
    void productsOfFloats(boolean atEnd) throws Throwable {
        for (int bits : new int[] {256, 512})
            for (int rows = 1; rows <= (bits == 512 ? 14 : 6); rows++) {
                Product product = new Product(Kind.FLOATS, rows, bits);
                MethodHandle multiply = place(feature(bits), product.code(), P, P, P, L, L, L);
                for (int depth : new int[] {1, 3, 4, 5, 40}) product(product, multiply, depth, 1 + depth % 3, atEnd);
            }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void productsOfPairs(boolean atEnd) throws Throwable {
        for (int rows = 1; rows <= 14; rows++) {
            Product product = new Product(Kind.PAIRS, rows, 512);
            MethodHandle multiply = place(Feature.AVX512_BF16, product.code(), P, P, P, L, L, L);
            for (int depth : new int[] {1, 3, 4, 5, 40}) product(product, multiply, depth, 1 + depth % 3, atEnd);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void productsOfPairsThatLieScattered(boolean atEnd) throws Throwable {
        Product product = new Product(Kind.PAIRS, 12, 12, 2, 512, true);
        MethodHandle multiply = place(Feature.AVX512_BF16, product.code(), P, P, P, L, L, L, P);
        for (int depth : new int[] {1, 3, 4, 5, 40}) product(product, multiply, depth, 1 + depth % 3, atEnd);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void productsInTiles(boolean atEnd) throws Throwable {
        MethodHandle multiply = place(Feature.AMX_BF16, TileProduct.code(), P, P, P, L, L, L);
        Product shape = new Product(Kind.PAIRS, 15, 32, 2, 512, false);
        for (int depth : new int[] {1, 3, 15, 16, 17, 40}) tiles(shape, multiply, depth, 1 + depth % 3, atEnd);
    }

    private void tiles(Product shape, MethodHandle multiply, int depth, int bands, boolean atEnd) throws Throwable {
        run(shape, 32, multiply, depth, bands, atEnd);
    }

    private void product(Product product, MethodHandle multiply, int depth, int bands, boolean atEnd) throws Throwable {
        run(product, product.rows(), multiply, depth, bands, atEnd);
    }

    private void run(Product product, int rows, MethodHandle multiply, int depth, int bands, boolean atEnd)
            throws Throwable {
        boolean floats = product.kind() == Kind.FLOATS;
        int strip = product.strip(), gap = product.scattered() ? 3 : 0;
        float[] a = floats ? numbers(bands * rows * depth) : pairs(bands * rows * depth);
        float[] b = floats ? numbers(depth * strip) : pairs(depth * (strip + gap) - gap);
        float[] c = numbers(bands * rows * strip);
        long[] table = new long[depth];
        // Backwards, so that the table counts.
        for (int k = 0; k < depth; k++) table[k] = (depth - 1 - k) * (strip + gap) * 4L;
        try (Arena arena = Arena.ofConfined()) {
            Guarded memory = new Guarded(arena, atEnd);
            MemorySegment left = memory.floats(a), right = memory.floats(b), places = memory.longs(table);
            for (long add = 0; add < 2; add++) {
                MemorySegment to = memory.floats(c);
                if (product.scattered()) multiply.invokeExact(left, right, to, (long) depth, (long) bands, add, places);
                else multiply.invokeExact(left, right, to, (long) depth, (long) bands, add);
                float[] result = Guarded.floats(to);
                for (int i = 0; i < bands * rows; i++)
                    for (int j = 0; j < strip; j++) {
                        float chain = 0, first = add == 1 ? c[i * strip + j] : 0;
                        double sum = first;
                        for (int k = 0; k < depth; k++) {
                            float y = b[(product.scattered() ? (int) table[k] / 4 : k * strip) + j];
                            if (floats) chain = Math.fma(a[i / rows * rows * depth + k * rows + i % rows], y, chain);
                            else sum += dot(a[i * depth + k], y);
                        }
                        String where = product + ", depth " + depth + ", add " + add + ": " + i + ", " + j;
                        if (floats) assertEquals(add == 1 ? first + chain : chain, result[i * strip + j], 0f, where);
                        else assertEquals(sum, result[i * strip + j], 2e-5, where);
                    }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void roundingOfRows(boolean atEnd) throws Throwable {
        MethodHandle round = place(Feature.AVX512_BF16, Rounding.rows(), P, L, P, L, L, L);
        for (int count = 1; count < 100; count++) {
            int rows = 1 + count % 3, width = (count + 1) / 2;
            float[] from = numbers(rows * count);
            from[0] = Float.intBitsToFloat(0x3F808000); // half way: to the even neighbour
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
    void roundingOfTwoRows(boolean atEnd) throws Throwable {
        MethodHandle round = place(Feature.AVX512_BF16, Rounding.twoRows(), P, L, P, L, L, L);
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
    void stores(boolean atEnd) throws Throwable {
        for (int bits : new int[] {256, 512})
            for (boolean perRow : new boolean[] {true, false}) {
                int strip = bits / 16;
                MethodHandle store = place(feature(bits), Strips.store(bits, perRow), P, P, L, L, L, P);
                for (int count = 1; count <= strip; count++) {
                    int rows = 1 + count % 4;
                    float[] from = numbers((rows - 1) * strip + count), bias = numbers(perRow ? rows : count);
                    try (Arena arena = Arena.ofConfined()) {
                        Guarded memory = new Guarded(arena, atEnd);
                        MemorySegment to = memory.bytes(rows * count * 4L);
                        store.invokeExact(
                                memory.floats(from), to, (long) rows, (long) count, count * 4L, memory.floats(bias));
                        float[] result = Guarded.floats(to);
                        for (int i = 0; i < rows; i++)
                            for (int j = 0; j < count; j++)
                                assertEquals(from[i * strip + j] + bias[perRow ? i : j], result[i * count + j]);
                    }
                }
            }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void loads(boolean atEnd) throws Throwable {
        for (int bits : new int[] {256, 512})
            for (int width = 2; width <= bits / 16; width += 2) {
                int distance = width + 3;
                MethodHandle load = place(feature(bits), Strips.load(width, bits, width % 4 == 0), P, L, P, L);
                for (int rows = 1; rows < 6; rows++) {
                    float[] from = numbers((rows - 1) * distance + width);
                    try (Arena arena = Arena.ofConfined()) {
                        Guarded memory = new Guarded(arena, atEnd);
                        MemorySegment to = memory.bytes(rows * width * 4L);
                        load.invokeExact(memory.floats(from), distance * 4L, to, (long) rows);
                        float[] result = Guarded.floats(to);
                        for (int i = 0; i < result.length; i++)
                            assertEquals(from[i / width * distance + i % width], result[i]);
                    }
                }
            }
    }

    /** Any bits pass, those of numbers that are not numbers too. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void transpositions(boolean atEnd) throws Throwable {
        MethodHandle turn = place(Feature.AVX2, Transposition.code(false), P, L, P, L, L, L);
        MethodHandle scaled = place(Feature.AVX2, Transposition.code(true), P, L, P, L, L, L, P);
        for (int rows = 1; rows <= 17; rows++)
            for (int columns = 1; columns <= 13; columns++) {
                int distance = columns + rows % 3, apart = rows + columns % 3;
                float[] from = numbers((rows - 1) * distance + columns);
                from[0] = Float.intBitsToFloat(0x7F800001);
                float[] before = numbers((columns - 1) * apart + rows);
                try (Arena arena = Arena.ofConfined()) {
                    Guarded memory = new Guarded(arena, atEnd);
                    MemorySegment x = memory.floats(from), y = memory.floats(before), z = memory.floats(before);
                    turn.invokeExact(x, distance * 4L, y, apart * 4L, (long) rows, (long) columns);
                    MemorySegment scale = memory.floats(new float[] {0.3f});
                    scaled.invokeExact(x, distance * 4L, z, apart * 4L, (long) rows, (long) columns, scale);
                    float[] after = Guarded.floats(z);
                    for (int i = 0; i < before.length; i++) {
                        int row = i % apart, at = row * distance + i / apart;
                        same(row < rows ? from[at] : before[i], y, i);
                        if (at > 0) assertEquals(row < rows ? from[at] * 0.3f : before[i], after[i]);
                    }
                }
            }
    }

    /** All 65,536 numbers of either type. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void widenings(boolean atEnd) throws Throwable {
        MethodHandle f16 = place(Feature.AVX2, Widening.f16(), P, P, L);
        MethodHandle bf16 = place(Feature.AVX2, Widening.bf16(), P, P, L);
        int count = 1 << 16;
        try (Arena arena = Arena.ofConfined()) {
            Guarded memory = new Guarded(arena, atEnd);
            MemorySegment from = memory.bytes(count * 2L), to = memory.bytes(count * 4L);
            for (int i = 0; i < count; i++) from.setAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i, (short) i);
            f16.invokeExact(from, to, (long) count / Rows.ROUND);
            for (int i = 0; i < count; i++) same(Float.float16ToFloat((short) i), to, i);
            bf16.invokeExact(from, to, (long) count / Rows.ROUND);
            for (int i = 0; i < count; i++) same(Float.intBitsToFloat(i << 16), to, i);
        }
    }

    private static Feature feature(int bits) {
        return bits == 512 ? Feature.AVX512 : Feature.AVX2;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void scalesAndGathers(boolean atEnd) throws Throwable {
        try (Arena arena = Arena.ofConfined()) {
            Guarded memory = new Guarded(arena, atEnd);
            for (int bits : new int[] {256, 512}) {
                MethodHandle scale = place(feature(bits), Strips.scale(bits), P, P, L);
                int width = bits / 16;
                float[] c = numbers(7 * width), factors = numbers(width);
                MemorySegment to = memory.floats(c);
                scale.invokeExact(to, memory.floats(factors), 7L);
                float[] result = Guarded.floats(to);
                for (int i = 0; i < c.length; i++) assertEquals(c[i] * factors[i % width], result[i]);
            }
            for (int bits : new int[] {256, 512}) {
                int width = bits / 16;
                MethodHandle gather = place(feature(bits), Strips.gather(bits), P, P, L, P);
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
    void softmaxes(boolean atEnd) throws Throwable {
        for (int bits : new int[] {256, 512}) {
            MethodHandle softmax = place(
                    bits == 512 ? Feature.AVX512 : Feature.AVX2, ExponentialTest.EXP.softmax(bits), P, P, P, P, L);
            for (int rows = 1; rows < 9; rows++) softmax(softmax, bits / 16, rows, false, atEnd);
        }
        MethodHandle softmax = place(Feature.AVX512_BF16, PowerTest.POWER.softmax(), P, P, P, P, L);
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

    /** All three transforms: filtering one channel's tiles with one output's taps is the convolution. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void filtering(boolean atEnd) throws Throwable {
        Filtering f = new Filtering(0.75f, 1.5f);
        MethodHandle input = place(Feature.AVX512, f.input(), P, P, P, L, L, L, L);
        MethodHandle weights = place(Feature.AVX512, f.weights(), P, L, P, L, L);
        MethodHandle output = place(Feature.AVX512, f.output(), P, P, P, L, L, L, P, L);
        // Four groups side by side and a line of groups below: 8 groups, one strip.
        int pitch = 4 * 16 + 4, lines = 4 + 6, width = 64;
        float[] picture = numbers(lines * pitch), taps = numbers(9), bias = {0.5f};
        long[] from = new long[8], to = new long[8];
        for (int g = 0; g < 8; g++) {
            from[g] = (g / 4 * 4L * pitch + g % 4 * 16) * 4;
            to[g] = (g / 4 * 4L * width + g % 4 * 16) * 4;
        }
        float[] spread = new float[9 * 16];
        for (int tap = 0; tap < 9; tap++) java.util.Arrays.fill(spread, tap * 16, tap * 16 + 16, taps[tap]);
        try (Arena arena = Arena.ofConfined()) {
            Guarded memory = new Guarded(arena, atEnd);
            MemorySegment v = memory.bytes(36 * 32 * 4), u = memory.bytes(36 * 16 * 4), y = memory.bytes(8 * width * 4);
            input.invokeExact(memory.floats(picture), memory.longs(from), v, 128L, 36 * 128L, 2L, pitch * 4L);
            weights.invokeExact(memory.floats(spread), 64L, u, 64L, 1L);
            float[] points = Guarded.floats(v), factors = Guarded.floats(u), sums = new float[36 * 32];
            for (int p = 0; p < 36; p++)
                for (int t = 0; t < 32; t++) sums[p * 32 + t] = points[p * 32 + t] * factors[p * 16];
            MemorySegment products = memory.floats(sums);
            for (int half = 0; half < 2; half++) {
                MemorySegment places = memory.longs(java.util.Arrays.copyOfRange(to, 4 * half, 4 * half + 4));
                output.invokeExact(
                        products.asSlice(half * 64L), places, y, 128L, 1L, 0L, memory.floats(bias), width * 4L);
            }
            float[] result = Guarded.floats(y);
            for (int r = 0; r < 8; r++)
                for (int c = 0; c < width; c++) {
                    double sum = bias[0];
                    for (int tap = 0; tap < 9; tap++)
                        sum += (double) taps[tap] * picture[(r + tap / 3) * pitch + c + tap % 3];
                    assertEquals(sum, result[r * width + c], 2e-5, r + ", " + c);
                }
        }
    }
}
