package dev.gyre.nn.cpu;

import dev.gyre.core.DType;
import dev.gyre.core.Tensor;
import dev.gyre.machine.kernel.ElementwiseKernels;
import java.lang.foreign.MemorySegment;

/**
 * Element-wise operations on rows of floats in place, in machine code. Each method processes whole iterations of {@link
 * ElementwiseKernels#UNROLL} floats and returns how many floats it processed, none where there is no machine code: the
 * caller's loop does the rest, with the same bits.
 */
public final class MachineElementwise {
    /** Floats of one call at most. A critical downcall blocks the garbage collector, so keep it short. */
    private static final int MAX_CALL_FLOATS = 1 << 16;

    private MachineElementwise() {}

    /** {@code count} rounded down to whole iterations; 0 where there is no machine code. */
    private static int wholeIterations(int count) {
        return MachineMicroKernel.isAvailable() ? count / ElementwiseKernels.UNROLL * ElementwiseKernels.UNROLL : 0;
    }

    private static MemorySegment at(MemorySegment floats, long index) {
        return floats.asSlice(index * Float.BYTES);
    }

    private static MemorySegment parameters(float... parameters) {
        return MemorySegment.ofArray(parameters);
    }

    /** y[at + i] = a[at + i] + scale · b[at + i]. */
    public static int add(MemorySegment a, MemorySegment b, MemorySegment y, long at, int count, float scale) {
        int vectorized = wholeIterations(count);
        MemorySegment parameters = parameters(scale);
        for (int done = 0; done < vectorized; done += MAX_CALL_FLOATS) {
            long iterations = Math.min(MAX_CALL_FLOATS, vectorized - done) / ElementwiseKernels.UNROLL;
            try {
                MachineKernels.Rows.ADD.invokeExact(
                        at(a, at + done), at(b, at + done), at(y, at + done), iterations, parameters);
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        }
        return vectorized;
    }

    /** to[at + i] = (from[at + i] − mean) · scale + shift. */
    static int scale(MemorySegment from, MemorySegment to, long at, int count, float mean, float scale, float shift) {
        int vectorized = wholeIterations(count);
        MemorySegment parameters = parameters(mean, scale, shift);
        for (int done = 0; done < vectorized; done += MAX_CALL_FLOATS) {
            long iterations = Math.min(MAX_CALL_FLOATS, vectorized - done) / ElementwiseKernels.UNROLL;
            try {
                MachineKernels.Rows.SCALE.invokeExact(at(from, at + done), at(to, at + done), iterations, parameters);
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        }
        return vectorized;
    }

    /** to[at + i] = x · sigmoid(slope · x) for x = (from[at + i] − mean) · scale + shift. */
    static int silu(
            MemorySegment from,
            MemorySegment to,
            long at,
            int count,
            float mean,
            float scale,
            float shift,
            float slope) {
        int vectorized = wholeIterations(count);
        MemorySegment parameters = parameters(mean, scale, shift, -slope);
        for (int done = 0; done < vectorized; done += MAX_CALL_FLOATS) {
            long iterations = Math.min(MAX_CALL_FLOATS, vectorized - done) / ElementwiseKernels.UNROLL;
            try {
                MachineKernels.Rows.SILU.invokeExact(at(from, at + done), at(to, at + done), iterations, parameters);
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        }
        return vectorized;
    }

    /** to[at + i] = x[value + i] · GELU(x[gate + i]). */
    public static int geglu(MemorySegment x, long value, long gate, MemorySegment to, long at, int count) {
        int vectorized = wholeIterations(count);
        for (int done = 0; done < vectorized; done += MAX_CALL_FLOATS) {
            long iterations = Math.min(MAX_CALL_FLOATS, vectorized - done) / ElementwiseKernels.UNROLL;
            try {
                MachineKernels.Rows.GEGLU.invokeExact(
                        at(x, value + done), at(x, gate + done), at(to, at + done), iterations);
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        }
        return vectorized;
    }

    /**
     * to[at + i] = (from[at + i] − mean) · inverse · weight[i] + bias[i], for at most {@value #MAX_CALL_FLOATS} floats.
     */
    public static int norm(
            MemorySegment from,
            MemorySegment to,
            long at,
            int count,
            float mean,
            float inverse,
            float[] weight,
            float[] bias) {
        int vectorized = wholeIterations(Math.min(count, MAX_CALL_FLOATS));
        if (vectorized == 0) return 0;
        MemorySegment weights = MemorySegment.ofArray(weight), biases = MemorySegment.ofArray(bias);
        try {
            MachineKernels.Rows.NORM.invokeExact(
                    at(from, at),
                    at(to, at),
                    (long) vectorized / ElementwiseKernels.UNROLL,
                    parameters(mean, inverse),
                    weights,
                    biases);
        } catch (Throwable e) {
            throw MachineKernels.unexpected(e);
        }
        return vectorized;
    }

    /**
     * sums[c] = the sum of x[at + i] over i ≡ c modulo the unrolling, within whole iterations of at most {@value
     * #MAX_CALL_FLOATS} floats.
     */
    public static int sums(MemorySegment x, long at, int count, float[] sums) {
        int vectorized = wholeIterations(Math.min(count, MAX_CALL_FLOATS));
        if (vectorized == 0) return 0;
        try {
            MachineKernels.Rows.SUMS.invokeExact(
                    at(x, at), (long) vectorized / ElementwiseKernels.UNROLL, MemorySegment.ofArray(sums));
        } catch (Throwable e) {
            throw MachineKernels.unexpected(e);
        }
        return vectorized;
    }

    /** Likewise, the sums of squared differences from {@code from}. */
    public static int squares(MemorySegment x, long at, int count, float from, float[] sums) {
        int vectorized = wholeIterations(Math.min(count, MAX_CALL_FLOATS));
        if (vectorized == 0) return 0;
        try {
            MachineKernels.Rows.SQUARES.invokeExact(
                    at(x, at),
                    (long) vectorized / ElementwiseKernels.UNROLL,
                    MemorySegment.ofArray(sums),
                    parameters(from));
        } catch (Throwable e) {
            throw MachineKernels.unexpected(e);
        }
        return vectorized;
    }

    /** to[at + i] = element {@code begin + i} of an F16 or BF16 tensor; 0 for other types. */
    static int toF32(Tensor from, long begin, float[] to, int at, int count) {
        boolean f16 = from.dtype() == DType.F16;
        if (!f16 && from.dtype() != DType.BF16) return 0;
        int vectorized = wholeIterations(count);
        for (int done = 0; done < vectorized; done += MAX_CALL_FLOATS) {
            long iterations = Math.min(MAX_CALL_FLOATS, vectorized - done) / ElementwiseKernels.UNROLL;
            MemorySegment elements = from.data().asSlice((begin + done) * Short.BYTES),
                    floats = MachineKernels.segmentAt(to, at + done);
            try {
                if (f16) MachineKernels.ToFloats.F16.invokeExact(elements, floats, iterations);
                else MachineKernels.ToFloats.BF16.invokeExact(elements, floats, iterations);
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        }
        return vectorized;
    }

    /**
     * to[at …] = rows of a panel's width, {@code fromStride} floats from one to the next, packed; requires machine
     * code.
     */
    public static void packRows(MemorySegment from, long begin, long fromStride, int rows, float[] to, int at) {
        try {
            MachineKernels.LoadPanel.A_PANEL.invokeExact(
                    at(from, begin), fromStride * Float.BYTES, MachineKernels.segmentAt(to, at), (long) rows);
        } catch (Throwable e) {
            throw MachineKernels.unexpected(e);
        }
    }

    /**
     * to[place + column · toStride + row] = from[begin + row · fromStride + column] · scale; requires machine code.
     * With scale 1, any bit pattern is copied unchanged.
     */
    public static void transpose(
            MemorySegment from,
            long begin,
            long fromStride,
            int rows,
            int columns,
            float scale,
            MemorySegment to,
            long place,
            long toStride) {
        int step = Math.max(1, MAX_CALL_FLOATS / rows);
        for (int done = 0; done < columns; done += step) {
            long count = Math.min(step, columns - done);
            MemorySegment x = at(from, begin + done), y = at(to, place + done * toStride);
            long fromBytes = fromStride * Float.BYTES, toBytes = toStride * Float.BYTES;
            try {
                if (scale == 1)
                    MachineKernels.Transposed.PLAIN.invokeExact(x, fromBytes, y, toBytes, (long) rows, count);
                else
                    MachineKernels.Transposed.SCALED.invokeExact(
                            x, fromBytes, y, toBytes, (long) rows, count, parameters(scale));
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        }
    }
}
