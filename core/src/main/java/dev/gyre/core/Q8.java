package dev.gyre.core;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * ggml's 8-bit quantization {@code Q8_0}. A block of 32 consecutive elements is an F16 scale d followed by 32 signed bytes q; an element is
 * d · q. d is the block's largest magnitude divided by 127.
 */
public final class Q8 {
    /** Elements in a block. */
    public static final int BLOCK = 32;

    /** Bytes in a block. */
    static final int BYTES = 2 + BLOCK;

    private static final int SHORTS = BYTES / Short.BYTES;

    private Q8() {}

    /** Whether the number of elements is a multiple of the block size. */
    public static boolean fits(Shape shape) {
        return shape.elements() % BLOCK == 0;
    }

    /**
     * Quantizes a tensor.
     *
     * @param tensor of a floating type
     * @param arena owns the memory of the result
     * @throws IllegalArgumentException when the number of elements is not a multiple of the block size
     * @throws ArithmeticException when an element is not finite or so large that its scale exceeds the range of F16
     */
    public static Tensor of(Tensor tensor, Arena arena) {
        int n = tensor.shape().elements();
        MemorySegment data = arena.allocate(DType.Q8_0.bytes(n), 64);
        int piece = Math.min(n, 64 * BLOCK);
        float[] values = new float[piece];
        short[] blocks = new short[piece / BLOCK * SHORTS], scratch = new short[4096];
        for (int from = 0; from < n; from += piece) {
            int count = Math.min(piece, n - from);
            tensor.read(from, values, 0, count, scratch);
            for (int block = 0; block < count / BLOCK; block++) narrow(values, block * BLOCK, blocks, block * SHORTS);
            MemorySegment.copy(blocks, 0, data, Tensor.SHORT, DType.Q8_0.bytes(from), count / BLOCK * SHORTS);
        }
        return new Tensor(DType.Q8_0, tensor.shape(), data);
    }

    private static void narrow(float[] from, int at, short[] to, int offset) {
        float largest = 0;
        for (int i = 0; i < BLOCK; i++) largest = Math.max(largest, Math.abs(from[at + i]));
        short scale = Float.floatToFloat16(largest / 127);
        if (!Float.isFinite(Float.float16ToFloat(scale)))
            throw new ArithmeticException("a weight of " + largest + " exceeds the range of Q8_0");
        // Divide by the scale before rounding it to F16, as ggml does.
        float inverse = largest == 0 ? 0 : 127 / largest;
        to[offset] = scale;
        for (int i = 0; i < BLOCK; i += 2) {
            int low = Math.round(from[at + i] * inverse), high = Math.round(from[at + i + 1] * inverse);
            to[offset + 1 + i / 2] = (short) (low & 0xFF | high << 8);
        }
    }

    /** Widens {@code count} elements from flat index {@code from} on; see {@link Tensor#read}. */
    static void read(MemorySegment data, long from, float[] to, int at, int count, short[] scratch) {
        float[] values = null;
        for (int done = 0; done < count; ) {
            long block = (from + done) / BLOCK;
            int skip = (int) ((from + done) % BLOCK), left = count - done;
            if (skip == 0 && left >= BLOCK && scratch.length >= SHORTS) {
                int n = Math.min(left / BLOCK, scratch.length / SHORTS);
                MemorySegment.copy(data, Tensor.SHORT, block * BYTES, scratch, 0, n * SHORTS);
                for (int i = 0; i < n; i++) widen(scratch, i * SHORTS, to, at + done + i * BLOCK);
                done += n * BLOCK;
                continue;
            }
            // Only part of the block is wanted.
            if (values == null) values = new float[BLOCK];
            short[] one = scratch.length >= SHORTS ? scratch : new short[SHORTS];
            MemorySegment.copy(data, Tensor.SHORT, block * BYTES, one, 0, SHORTS);
            widen(one, 0, values, 0);
            int n = Math.min(BLOCK - skip, left);
            System.arraycopy(values, skip, to, at + done, n);
            done += n;
        }
    }

    private static void widen(short[] from, int offset, float[] to, int at) {
        float scale = Float.float16ToFloat(from[offset]);
        for (int i = 0; i < BLOCK / 2; i++) {
            short pair = from[offset + 1 + i];
            to[at + 2 * i] = scale * (byte) pair;
            to[at + 2 * i + 1] = scale * (pair >> 8);
        }
    }
}
