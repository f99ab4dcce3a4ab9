package dev.gyre.core;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Weights in eight bits, ggml's {@code Q8_0}: 32 neighbours share a scale d, an F16 in front of their 32 signed bytes q, and each is
 * worth d · q. d is the largest of the block divided by 127.
 */
public final class Q8 {
    /** Elements of a block. */
    public static final int BLOCK = 32;

    /** Bytes of a block. */
    static final int BYTES = 2 + BLOCK;

    private static final int SHORTS = BYTES / Short.BYTES;

    private Q8() {}

    /** Whether a tensor's elements fill whole blocks. */
    public static boolean fits(Shape shape) {
        return shape.elements() % BLOCK == 0;
    }

    /**
     * The tensor in eight bits.
     *
     * @param tensor of a floating type
     * @param arena owns what is made
     * @throws IllegalArgumentException when its elements fill no whole blocks
     * @throws ArithmeticException when a number is not finite or beyond what a scale in F16 reaches
     */
    public static Tensor of(Tensor tensor, Arena arena) {
        int n = tensor.shape().elements();
        MemorySegment data = arena.allocate(DType.Q8_0.bytes(n), 64);
        int some = Math.min(n, 64 * BLOCK);
        float[] values = new float[some];
        short[] blocks = new short[some / BLOCK * SHORTS], scratch = new short[4096];
        for (int from = 0; from < n; from += some) {
            int count = Math.min(some, n - from);
            tensor.read(from, values, 0, count, scratch);
            for (int block = 0; block < count / BLOCK; block++) narrow(values, block * BLOCK, blocks, block * SHORTS);
            MemorySegment.copy(blocks, 0, data, Tensor.SHORT, DType.Q8_0.bytes(from), count / BLOCK * SHORTS);
        }
        return new Tensor(DType.Q8_0, tensor.shape(), data);
    }

    private static void narrow(float[] from, int at, short[] to, int place) {
        float largest = 0;
        for (int i = 0; i < BLOCK; i++) largest = Math.max(largest, Math.abs(from[at + i]));
        short scale = Float.floatToFloat16(largest / 127);
        if (!Float.isFinite(Float.float16ToFloat(scale)))
            throw new ArithmeticException("a weight of " + largest + " is beyond what Q8_0 holds");
        // By the scale before it was rounded, as ggml does.
        float inverse = largest == 0 ? 0 : 127 / largest;
        to[place] = scale;
        for (int i = 0; i < BLOCK; i += 2) {
            int low = Math.round(from[at + i] * inverse), high = Math.round(from[at + i + 1] * inverse);
            to[place + 1 + i / 2] = (short) (low & 0xFF | high << 8);
        }
    }

    /** Widens {@code count} elements from flat index {@code from} on; see {@link Tensor#read}. */
    static void read(MemorySegment data, long from, float[] to, int at, int count, short[] scratch) {
        float[] whole = null;
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
            // A part of a block.
            if (whole == null) whole = new float[BLOCK];
            short[] one = scratch.length >= SHORTS ? scratch : new short[SHORTS];
            MemorySegment.copy(data, Tensor.SHORT, block * BYTES, one, 0, SHORTS);
            widen(one, 0, whole, 0);
            int n = Math.min(BLOCK - skip, left);
            System.arraycopy(whole, skip, to, at + done, n);
            done += n;
        }
    }

    private static void widen(short[] from, int place, float[] to, int at) {
        float scale = Float.float16ToFloat(from[place]);
        for (int i = 0; i < BLOCK / 2; i++) {
            short both = from[place + 1 + i];
            to[at + 2 * i] = scale * (byte) both;
            to[at + 2 * i + 1] = scale * (both >> 8);
        }
    }
}
