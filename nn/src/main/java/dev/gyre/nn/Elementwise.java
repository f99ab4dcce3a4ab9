package dev.gyre.nn;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.Op;
import dev.gyre.core.Scratch;
import dev.gyre.core.Value;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Function;

/** What ops that work element by element share. */
final class Elementwise {
    /** Elements taken at a time: a few arrays of these fit the first cache. */
    static final int BLOCK = 2048;

    private Elementwise() {}

    /** Adds an op whose output is as large as {@code x}. */
    static Value like(Value x, Function<Value, Op> op) {
        int[] dims = x.shape().dims().stream().mapToInt(Integer::intValue).toArray();
        return x.graph().add(op.apply(x.like(dims)));
    }

    /** A kernel that changes every element by itself, block by block. */
    static JvmKernel map(Value x, Value y, Map map) {
        return (memory, workers) -> {
            MemorySegment from = memory.at(x).data(), to = memory.at(y).data();
            int n = y.shape().elements();
            workers.run((n + BLOCK - 1) / BLOCK, (piece, scratch) -> {
                int begin = piece * BLOCK, count = Math.min(BLOCK, n - begin);
                float[] v = scratch.floats(Scratches.LINE, BLOCK);
                read(from, begin, v, count);
                map.apply(v, count, scratch);
                write(v, to, begin, count);
            });
        };
    }

    /** What is done to v[0 … count). */
    interface Map {
        void apply(float[] v, int count, Scratch scratch);
    }

    /** v = v · sigmoid(slope · v). */
    static void sigmoidGate(float[] v, int count, float slope, Scratch scratch) {
        float[] e = scratch.floats(Scratches.GATHERED, BLOCK);
        for (int i = 0; i < count; i++) e[i] = -slope * v[i];
        Exp.inPlace(e, count, scratch.ints(BLOCK));
        for (int i = 0; i < count; i++) v[i] = v[i] / (1f + e[i]);
    }

    static void read(MemorySegment from, long at, float[] to, int count) {
        read(from, at, to, 0, count);
    }

    static void read(MemorySegment from, long at, float[] to, int begin, int count) {
        MemorySegment.copy(from, ValueLayout.JAVA_FLOAT, at * Float.BYTES, to, begin, count);
    }

    static void write(float[] from, MemorySegment to, long at, int count) {
        MemorySegment.copy(from, 0, to, ValueLayout.JAVA_FLOAT, at * Float.BYTES, count);
    }
}
