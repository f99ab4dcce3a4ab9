package dev.gyre.nn;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.Op;
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

    /** y = x · sigmoid(slope · x). */
    static JvmKernel sigmoidGate(Value x, Value y, float slope) {
        return (memory, workers) -> {
            MemorySegment from = memory.at(x).data(), to = memory.at(y).data();
            int n = y.shape().elements();
            workers.run((n + BLOCK - 1) / BLOCK, (piece, scratch) -> {
                int begin = piece * BLOCK, count = Math.min(BLOCK, n - begin);
                float[] v = scratch.floats(0, BLOCK), e = scratch.floats(1, BLOCK);
                MemorySegment.copy(from, ValueLayout.JAVA_FLOAT, (long) begin * Float.BYTES, v, 0, count);
                for (int i = 0; i < count; i++) e[i] = -slope * v[i];
                Exp.inPlace(e, count, scratch.ints(BLOCK));
                for (int i = 0; i < count; i++) v[i] = v[i] / (1f + e[i]);
                MemorySegment.copy(v, 0, to, ValueLayout.JAVA_FLOAT, (long) begin * Float.BYTES, count);
            });
        };
    }
}
