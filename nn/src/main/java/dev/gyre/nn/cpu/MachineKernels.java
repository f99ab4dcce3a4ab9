package dev.gyre.nn.cpu;

import dev.gyre.machine.Feature;
import dev.gyre.machine.NativeCode;
import dev.gyre.machine.assembler.Code;
import dev.gyre.machine.kernel.AmxGemmKernel;
import dev.gyre.machine.kernel.ElementwiseKernels;
import dev.gyre.machine.kernel.ErfKernels;
import dev.gyre.machine.kernel.Exp2Kernels;
import dev.gyre.machine.kernel.ExpKernels;
import dev.gyre.machine.kernel.GemmKernel;
import dev.gyre.machine.kernel.PanelKernels;
import dev.gyre.machine.kernel.ToBf16;
import dev.gyre.machine.kernel.ToF32;
import dev.gyre.machine.kernel.Transpose;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The machine code that ops call, each placed when its class is first used: a handle that is static and final is what HotSpot
 * compiles a direct call of. {@code P} stands for a place in memory, {@code L} for a long.
 */
public final class MachineKernels {
    private static final MemoryLayout P = ValueLayout.ADDRESS, L = ValueLayout.JAVA_LONG;

    /** The product's arguments: a, b, c, depth, bands, add. */
    private static final FunctionDescriptor PRODUCT = FunctionDescriptor.ofVoid(P, P, P, L, L, L);

    private static final ExpKernels EXP = new ExpKernels(
            Exp.LEAST,
            Exp.MOST,
            Exp.LOG2_E,
            Exp.ROUND,
            Exp.LN2_HIGH,
            Exp.LN2_LOW,
            Exp.C7,
            Exp.C6,
            Exp.C5,
            Exp.C4,
            Exp.C3,
            Exp.C2);

    private MachineKernels() {}

    /** Bits of the processor's vectors, of those that kernels are made for. */
    public static final int BITS = NativeCode.HERE.has(Feature.AVX512) ? 512 : 256;

    /** Whether products of pairs run in tiles. */
    public static final boolean TILES = NativeCode.HERE.has(Feature.AMX_BF16);

    /** Places code that takes these arguments; {@link ValueLayout#ADDRESS} for a place in memory, {@link ValueLayout#JAVA_LONG} for a number. */
    public static MethodHandle place(Code code, MemoryLayout... arguments) {
        return NativeCode.HERE.place(code, FunctionDescriptor.ofVoid(arguments));
    }

    private static MethodHandle product(GemmKernel.Kind kind, int rows, int bits) {
        return NativeCode.HERE.place(new GemmKernel(kind, rows, bits).code(), PRODUCT);
    }

    /** Why a call failed other than by an exception of its own: it cannot. */
    public static RuntimeException unexpected(Throwable e) {
        if (e instanceof RuntimeException runtime) throw runtime;
        if (e instanceof Error error) throw error;
        return new IllegalStateException(e);
    }

    /** What an array holds from an element on. */
    public static MemorySegment at(float[] array, int element) {
        return MemorySegment.ofArray(array).asSlice((long) element * Float.BYTES);
    }

    /** Products of floats, for bands of so many rows. */
    public static final class Floats {
        public static final int ROWS = BITS == 512 ? 12 : 6;
        public static final MethodHandle MULTIPLY = product(GemmKernel.Kind.FLOATS, ROWS, BITS);

        /** The first two rows of a band. */
        static final MethodHandle TWO =
                place(new GemmKernel(GemmKernel.Kind.FLOATS, 2, ROWS, 2, BITS, false).code(), P, P, P, L, L, L);

        static final MethodHandle SOFTMAX = place(EXP.softmax(BITS), P, P, P, P, L);
        static final MethodHandle SCALE = place(PanelKernels.scale(BITS), P, P, L);

        private Floats() {}
    }

    /** Products of pairs, for bands of the usual number of rows and of others. */
    static final class Pairs {
        static final int ROWS = TILES ? AmxGemmKernel.SIDE : 12;
        static final MethodHandle MULTIPLY =
                TILES ? NativeCode.HERE.place(AmxGemmKernel.code(), PRODUCT) : product(GemmKernel.Kind.PAIRS, 12, 512);
        static final MethodHandle SOFTMAX = place(new Exp2Kernels(-126f, Exp.POWER_OF_TWO).softmax(), P, P, P, P, L);

        private Pairs() {}
    }

    /** Products of pairs where the strip's rows lie scattered. */
    public static final class Scattered {
        public static final MethodHandle MULTIPLY = place(
                new GemmKernel(GemmKernel.Kind.PAIRS, Pairs.ROWS, Pairs.ROWS, 2, 512, true).code(),
                P,
                P,
                P,
                L,
                L,
                L,
                P);

        private Scattered() {}
    }

    /** Rows that lie scattered, brought together: from, to, depth, table. */
    public static final class Gathered {
        public static final MethodHandle GATHER = place(PanelKernels.gather(BITS), P, P, L, P);

        private Gathered() {}
    }

    static final class Eight {
        static final MethodHandle MULTIPLY = product(GemmKernel.Kind.PAIRS, 8, 512);

        private Eight() {}
    }

    static final class Ten {
        static final MethodHandle MULTIPLY = product(GemmKernel.Kind.PAIRS, 10, 512);

        private Ten() {}
    }

    /** Floats to pairs: from, distance, to, apart, rows, count. */
    static final class Round {
        static final MethodHandle ROWS = place(ToBf16.rows(), P, L, P, L, L, L);
        static final MethodHandle TWO_ROWS = place(ToBf16.twoRows(), P, L, P, L, L, L);

        private Round() {}
    }

    /** Whole rows: see {@link ElementwiseKernels}, {@link ExpKernels#silu} and {@link ErfKernels#geglu}. */
    static final class Whole {
        private static final ElementwiseKernels ROWS = new ElementwiseKernels(BITS);
        static final MethodHandle ADD = place(ROWS.add(), P, P, P, L, P);
        static final MethodHandle SCALE = place(ROWS.scale(), P, P, L, P);
        static final MethodHandle SUMS = place(ROWS.sums(), P, L, P);
        static final MethodHandle SQUARES = place(ROWS.squares(), P, L, P, P);
        static final MethodHandle NORM = place(ROWS.norm(), P, P, L, P, P, P);
        static final MethodHandle GATE = place(EXP.silu(BITS), P, P, L, P);
        static final MethodHandle GEGLU = place(Erf.KERNELS.geglu(BITS), P, P, P, L);

        private Whole() {}
    }

    /** Strips to where they belong: from, to, rows, count, apart, bias. */
    public static final class Store {
        public static final MethodHandle PER_COLUMN = place(PanelKernels.store(BITS, false), P, P, L, L, L, P);
        public static final MethodHandle PER_ROW = place(PanelKernels.store(BITS, true), P, P, L, L, L, P);

        private Store() {}
    }

    /** Rows of a strip's width, and of a band's, brought together: from, distance, to, rows. */
    static final class Load {
        static final MethodHandle STRIP = place(PanelKernels.load(BITS / 16, BITS, true), P, L, P, L);
        static final MethodHandle BAND = place(PanelKernels.load(Floats.ROWS, BITS, false), P, L, P, L);

        private Load() {}
    }

    /** Rows to columns: from, distance, to, apart, rows, columns; then the scale. */
    static final class Turn {
        static final MethodHandle PLAIN = place(Transpose.code(false), P, L, P, L, L, L);
        static final MethodHandle SCALED = place(Transpose.code(true), P, L, P, L, L, L, P);

        private Turn() {}
    }

    /** 16-bit numbers to floats: from, to, rounds. */
    static final class Widen {
        static final MethodHandle F16 = place(ToF32.f16(), P, P, L);
        static final MethodHandle BF16 = place(ToF32.bf16(), P, P, L);

        private Widen() {}
    }
}
