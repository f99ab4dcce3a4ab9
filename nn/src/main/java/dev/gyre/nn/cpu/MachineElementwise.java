package dev.gyre.nn.cpu;

import dev.gyre.core.DType;
import dev.gyre.core.Tensor;
import dev.gyre.machine.kernel.ElementwiseKernels;
import java.lang.foreign.MemorySegment;

/**
 * Rows of floats in machine code, from and to where they lie. Each method does whole rounds of {@link ElementwiseKernels#UNROLL} floats and says how
 * many floats that were, none where there is no machine code: the caller's loop does the rest, with the same bits.
 */
public final class MachineElementwise {
    /** Floats of one call: the collector waits for it. */
    private static final int MAX_CALL_FLOATS = 1 << 16;

    private MachineElementwise() {}

    /** What is left out at a row's end, or the whole row. */
    private static int wholeIterations(int count) {
        return MachineMicroKernel.isAvailable() ? count / ElementwiseKernels.UNROLL * ElementwiseKernels.UNROLL : 0;
    }

    private static MemorySegment at(MemorySegment floats, long index) {
        return floats.asSlice(index * Float.BYTES);
    }

    private static MemorySegment numbers(float... numbers) {
        return MemorySegment.ofArray(numbers);
    }

    /** y[at + i] = a[at + i] + scale · b[at + i]. */
    public static int add(MemorySegment a, MemorySegment b, MemorySegment y, long at, int count, float scale) {
        int whole = wholeIterations(count);
        MemorySegment numbers = numbers(scale);
        for (int done = 0; done < whole; done += MAX_CALL_FLOATS) {
            long rounds = Math.min(MAX_CALL_FLOATS, whole - done) / ElementwiseKernels.UNROLL;
            try {
                MachineKernels.Rows.ADD.invokeExact(
                        at(a, at + done), at(b, at + done), at(y, at + done), rounds, numbers);
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        }
        return whole;
    }

    /** to[at + i] = (from[at + i] − middle) · scale + shift. */
    static int scale(MemorySegment from, MemorySegment to, long at, int count, float middle, float scale, float shift) {
        int whole = wholeIterations(count);
        MemorySegment numbers = numbers(middle, scale, shift);
        for (int done = 0; done < whole; done += MAX_CALL_FLOATS) {
            long rounds = Math.min(MAX_CALL_FLOATS, whole - done) / ElementwiseKernels.UNROLL;
            try {
                MachineKernels.Rows.SCALE.invokeExact(at(from, at + done), at(to, at + done), rounds, numbers);
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        }
        return whole;
    }

    /** to[at + i] = x · sigmoid(slope · x) for x = (from[at + i] − middle) · scale + shift. */
    static int silu(
            MemorySegment from,
            MemorySegment to,
            long at,
            int count,
            float middle,
            float scale,
            float shift,
            float slope) {
        int whole = wholeIterations(count);
        MemorySegment numbers = numbers(middle, scale, shift, -slope);
        for (int done = 0; done < whole; done += MAX_CALL_FLOATS) {
            long rounds = Math.min(MAX_CALL_FLOATS, whole - done) / ElementwiseKernels.UNROLL;
            try {
                MachineKernels.Rows.SILU.invokeExact(at(from, at + done), at(to, at + done), rounds, numbers);
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        }
        return whole;
    }

    /** to[at + i] = x[value + i] · GELU(x[gate + i]). */
    public static int geglu(MemorySegment x, long value, long gate, MemorySegment to, long at, int count) {
        int whole = wholeIterations(count);
        for (int done = 0; done < whole; done += MAX_CALL_FLOATS) {
            long rounds = Math.min(MAX_CALL_FLOATS, whole - done) / ElementwiseKernels.UNROLL;
            try {
                MachineKernels.Rows.GEGLU.invokeExact(
                        at(x, value + done), at(x, gate + done), at(to, at + done), rounds);
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        }
        return whole;
    }

    /** to[at + i] = (from[at + i] − mean) · inverse · weight[i] + bias[i], for at most {@value #MAX_CALL_FLOATS} floats. */
    public static int norm(
            MemorySegment from,
            MemorySegment to,
            long at,
            int count,
            float mean,
            float inverse,
            float[] weight,
            float[] bias) {
        int whole = wholeIterations(Math.min(count, MAX_CALL_FLOATS));
        if (whole == 0) return 0;
        MemorySegment weights = MemorySegment.ofArray(weight), biases = MemorySegment.ofArray(bias);
        try {
            MachineKernels.Rows.NORM.invokeExact(
                    at(from, at),
                    at(to, at),
                    (long) whole / ElementwiseKernels.UNROLL,
                    numbers(mean, inverse),
                    weights,
                    biases);
        } catch (Throwable e) {
            throw MachineKernels.unexpected(e);
        }
        return whole;
    }

    /** sums[c] = the sum of x[at + i] for i ≡ c below whole rounds of at most {@value #MAX_CALL_FLOATS} floats. */
    public static int sums(MemorySegment x, long at, int count, float[] sums) {
        int whole = wholeIterations(Math.min(count, MAX_CALL_FLOATS));
        if (whole == 0) return 0;
        try {
            MachineKernels.Rows.SUMS.invokeExact(
                    at(x, at), (long) whole / ElementwiseKernels.UNROLL, MemorySegment.ofArray(sums));
        } catch (Throwable e) {
            throw MachineKernels.unexpected(e);
        }
        return whole;
    }

    /** The same of squared differences from a number. */
    public static int squares(MemorySegment x, long at, int count, float from, float[] sums) {
        int whole = wholeIterations(Math.min(count, MAX_CALL_FLOATS));
        if (whole == 0) return 0;
        try {
            MachineKernels.Rows.SQUARES.invokeExact(
                    at(x, at), (long) whole / ElementwiseKernels.UNROLL, MemorySegment.ofArray(sums), numbers(from));
        } catch (Throwable e) {
            throw MachineKernels.unexpected(e);
        }
        return whole;
    }

    /** to[at + i] = the floats that 16-bit numbers from {@code begin} on are; of other types none are done. */
    static int toF32(Tensor from, long begin, float[] to, int at, int count) {
        boolean f16 = from.dtype() == DType.F16;
        if (!f16 && from.dtype() != DType.BF16) return 0;
        int whole = wholeIterations(count);
        for (int done = 0; done < whole; done += MAX_CALL_FLOATS) {
            long rounds = Math.min(MAX_CALL_FLOATS, whole - done) / ElementwiseKernels.UNROLL;
            MemorySegment numbers = from.data().asSlice((begin + done) * Short.BYTES),
                    floats = MachineKernels.segmentAt(to, at + done);
            try {
                if (f16) MachineKernels.ToFloats.F16.invokeExact(numbers, floats, rounds);
                else MachineKernels.ToFloats.BF16.invokeExact(numbers, floats, rounds);
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        }
        return whole;
    }

    /** to[at …] = rows of a band's width, {@code distance} floats apart, one after the other; only where there is machine code. */
    public static void packRows(MemorySegment from, long begin, long distance, int rows, float[] to, int at) {
        try {
            MachineKernels.LoadPanel.A_PANEL.invokeExact(
                    at(from, begin), distance * Float.BYTES, MachineKernels.segmentAt(to, at), (long) rows);
        } catch (Throwable e) {
            throw MachineKernels.unexpected(e);
        }
    }

    /**
     * to[place + column · apart + row] = from[begin + row · distance + column] · scale, all of it; only where there is machine code.
     * Where the scale is 1, any bits pass.
     */
    public static void transpose(
            MemorySegment from,
            long begin,
            long distance,
            int rows,
            int columns,
            float scale,
            MemorySegment to,
            long place,
            long apart) {
        int some = Math.max(1, MAX_CALL_FLOATS / rows);
        for (int done = 0; done < columns; done += some) {
            long count = Math.min(some, columns - done);
            MemorySegment x = at(from, begin + done), y = at(to, place + done * apart);
            long across = distance * Float.BYTES, down = apart * Float.BYTES;
            try {
                if (scale == 1) MachineKernels.Transposed.PLAIN.invokeExact(x, across, y, down, (long) rows, count);
                else MachineKernels.Transposed.SCALED.invokeExact(x, across, y, down, (long) rows, count, numbers(scale));
            } catch (Throwable e) {
                throw MachineKernels.unexpected(e);
            }
        }
    }
}
