package dev.gyre.nn.cpu;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.Op;
import dev.gyre.core.Scratch;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.core.Workers;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Function;

/** Shared by element-wise ops. */
public final class Elementwise {
    /** Elements of a block: a few arrays of this size fit into the L1 cache. */
    public static final int BLOCK = 2048;

    private Elementwise() {}

    /** Adds an op whose output has the shape of {@code x}. */
    public static Value like(Value x, Function<Value, Op> op) {
        int[] dims = x.shape().dims().stream().mapToInt(Integer::intValue).toArray();
        return x.graph().add(op.apply(x.like(dims)));
    }

    /** Runs {@code range} over n elements, in pieces of {@code blocks} blocks shared among the workers. */
    public static void blocks(Workers workers, int n, int blocks, Range range) {
        int piece = blocks * BLOCK;
        workers.run((n + piece - 1) / piece, (index, scratch) -> {
            int begin = index * piece;
            range.run(begin, Math.min(piece, n - begin), scratch);
        });
    }

    /** Processes elements begin to begin + count − 1. */
    public interface Range {
        void run(int begin, int count, Scratch scratch);
    }

    /** x · sigmoid(slope · x). */
    public static JvmKernel silu(Value x, Value y, float slope) {
        return (memory, workers) -> {
            MemorySegment from = memory.at(x).data(), to = memory.at(y).data();
            blocks(
                    workers,
                    y.shape().elements(),
                    4,
                    (begin, count, scratch) ->
                            // Adding −0 changes no number, not even −0.
                            silu(from, to, begin, count, 0f, 1f, -0f, slope, scratch));
        };
    }

    /** to[at + i] = x · sigmoid(slope · x) for x = (from[at + i] − mean) · scale + shift. */
    public static void silu(
            MemorySegment from,
            MemorySegment to,
            long at,
            int count,
            float mean,
            float scale,
            float shift,
            float slope,
            Scratch scratch) {
        int done = MachineElementwise.silu(from, to, at, count, mean, scale, shift, slope);
        inBlocks(from, to, at, done, count, scratch, (v, n) -> {
            for (int i = 0; i < n; i++) v[i] = Math.fma(v[i] - mean, scale, shift);
            siluInPlace(v, n, slope, scratch);
        });
    }

    /** to[at + i] = (from[at + i] − mean) · scale + shift. */
    public static void scale(
            MemorySegment from,
            MemorySegment to,
            long at,
            int count,
            float mean,
            float scale,
            float shift,
            Scratch scratch) {
        int done = MachineElementwise.scale(from, to, at, count, mean, scale, shift);
        inBlocks(from, to, at, done, count, scratch, (v, n) -> {
            for (int i = 0; i < n; i++) v[i] = Math.fma(v[i] - mean, scale, shift);
        });
    }

    /** Processes elements {@code done} to {@code count - 1}, block by block through an array. */
    private static void inBlocks(
            MemorySegment from, MemorySegment to, long at, int done, int count, Scratch scratch, InPlace function) {
        for (int n; done < count; done += n) {
            n = Math.min(BLOCK, count - done);
            float[] v = scratch.floats(ScratchSlots.LINE, BLOCK);
            read(from, at + done, v, n);
            function.apply(v, n);
            write(v, to, at + done, n);
        }
    }

    /** Changes v[0 … count) in place. */
    public interface InPlace {
        void apply(float[] v, int count);
    }

    /** A kernel that changes every element independently, block by block. */
    public static JvmKernel map(Value x, Value y, InPlace function) {
        return (memory, workers) -> {
            MemorySegment from = memory.at(x).data(), to = memory.at(y).data();
            blocks(
                    workers,
                    y.shape().elements(),
                    1,
                    (begin, count, scratch) -> inBlocks(from, to, begin, 0, count, scratch, function));
        };
    }

    /** v = v · sigmoid(slope · v). */
    static void siluInPlace(float[] v, int count, float slope, Scratch scratch) {
        float[] e = scratch.floats(ScratchSlots.GATHERED, BLOCK);
        for (int i = 0; i < count; i++) e[i] = -slope * v[i];
        Exp.inPlace(e, count, scratch.ints(BLOCK));
        for (int i = 0; i < count; i++) v[i] = v[i] / (1f + e[i]);
    }

    /** v = GELU(v), for the first n elements. */
    public static void gelu(float[] v, int n) {
        for (int i = 0; i < n; i++) v[i] = 0.5f * v[i] * (1f + Erf.erfFused(v[i] * 0.70710678f));
    }

    public static void read(MemorySegment from, long at, float[] to, int count) {
        read(from, at, to, 0, count);
    }

    public static void read(MemorySegment from, long at, float[] to, int begin, int count) {
        MemorySegment.copy(from, ValueLayout.JAVA_FLOAT, at * Float.BYTES, to, begin, count);
    }

    /** Reads elements of any floating type as floats. */
    public static void read(Tensor from, long at, float[] to, int begin, int count, Scratch scratch) {
        int done = MachineElementwise.toF32(from, at, to, begin, count);
        from.read(at + done, to, begin + done, count - done, scratch.shorts());
    }

    public static void write(float[] from, MemorySegment to, long at, int count) {
        write(from, 0, to, at, count);
    }

    public static void write(float[] from, int begin, MemorySegment to, long at, int count) {
        MemorySegment.copy(from, begin, to, ValueLayout.JAVA_FLOAT, at * Float.BYTES, count);
    }
}
