package dev.gyre.nn;

import dev.gyre.machine.Code;
import dev.gyre.machine.ErrorFunction;
import dev.gyre.machine.Exponential;
import dev.gyre.machine.Feature;
import dev.gyre.machine.Filtering;
import dev.gyre.machine.Machine;
import dev.gyre.machine.Power;
import dev.gyre.machine.Product;
import dev.gyre.machine.Rounding;
import dev.gyre.machine.Rows;
import dev.gyre.machine.Strips;
import dev.gyre.machine.TileProduct;
import dev.gyre.machine.Transposition;
import dev.gyre.machine.Widening;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The machine code that ops call, each placed when its class is first used: a handle that is static and final is what HotSpot
 * compiles a direct call of. {@code P} stands for a place in memory, {@code L} for a long.
 */
final class Kernels {
    private static final MemoryLayout P = ValueLayout.ADDRESS, L = ValueLayout.JAVA_LONG;

    /** The product's arguments: a, b, c, depth, bands, add. */
    private static final FunctionDescriptor PRODUCT = FunctionDescriptor.ofVoid(P, P, P, L, L, L);

    private static final Exponential EXP = new Exponential(
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

    private Kernels() {}

    /** Bits of the processor's vectors, of those that kernels are made for. */
    static final int BITS = Machine.HERE.has(Feature.AVX512) ? 512 : 256;

    /** Whether products of pairs run in tiles. */
    static final boolean TILES = Machine.HERE.has(Feature.AMX_BF16);

    private static MethodHandle place(Code code, MemoryLayout... arguments) {
        return Machine.HERE.place(code, FunctionDescriptor.ofVoid(arguments));
    }

    private static MethodHandle product(Product.Kind kind, int rows, int bits) {
        return Machine.HERE.place(new Product(kind, rows, bits).code(), PRODUCT);
    }

    /** Why a call failed other than by an exception of its own: it cannot. */
    static RuntimeException unexpected(Throwable e) {
        if (e instanceof RuntimeException runtime) throw runtime;
        if (e instanceof Error error) throw error;
        return new IllegalStateException(e);
    }

    /** What an array holds from an element on. */
    static MemorySegment at(float[] array, int element) {
        return MemorySegment.ofArray(array).asSlice((long) element * Float.BYTES);
    }

    /** Products of floats, for bands of so many rows. */
    static final class Floats {
        static final int ROWS = BITS == 512 ? 12 : 6;
        static final MethodHandle MULTIPLY = product(Product.Kind.FLOATS, ROWS, BITS);

        /** The first two rows of a band. */
        static final MethodHandle TWO =
                place(new Product(Product.Kind.FLOATS, 2, ROWS, 2, BITS, false).code(), P, P, P, L, L, L);

        static final MethodHandle SOFTMAX = place(EXP.softmax(BITS), P, P, P, P, L);
        static final MethodHandle SCALE = place(Strips.scale(BITS), P, P, L);

        private Floats() {}
    }

    /** Products of pairs, for bands of the usual number of rows and of others. */
    static final class Pairs {
        static final int ROWS = TILES ? TileProduct.SIDE : 12;
        static final MethodHandle MULTIPLY =
                TILES ? Machine.HERE.place(TileProduct.code(), PRODUCT) : product(Product.Kind.PAIRS, 12, 512);
        static final MethodHandle SOFTMAX = place(new Power(-126f, Exp.POWER_OF_TWO).softmax(), P, P, P, P, L);

        private Pairs() {}
    }

    /** Products of pairs where the strip's rows lie scattered. */
    static final class Scattered {
        static final MethodHandle MULTIPLY = place(
                new Product(Product.Kind.PAIRS, Pairs.ROWS, Pairs.ROWS, 2, 512, true).code(), P, P, P, L, L, L, P);

        private Scattered() {}
    }

    /** Rows that lie scattered, brought together: from, to, depth, table. */
    static final class Gathered {
        static final MethodHandle GATHER = place(Strips.gather(BITS), P, P, L, P);

        private Gathered() {}
    }

    static final class Eight {
        static final MethodHandle MULTIPLY = product(Product.Kind.PAIRS, 8, 512);

        private Eight() {}
    }

    static final class Ten {
        static final MethodHandle MULTIPLY = product(Product.Kind.PAIRS, 10, 512);

        private Ten() {}
    }

    /** Floats to pairs: from, distance, to, apart, rows, count. */
    static final class Round {
        static final MethodHandle ROWS = place(Rounding.rows(), P, L, P, L, L, L);
        static final MethodHandle TWO_ROWS = place(Rounding.twoRows(), P, L, P, L, L, L);

        private Round() {}
    }

    /** Whole rows: see {@link Rows}, {@link Exponential#gate} and {@link ErrorFunction#geglu}. */
    static final class Whole {
        private static final Rows ROWS = new Rows(BITS);
        static final MethodHandle ADD = place(ROWS.add(), P, P, P, L, P);
        static final MethodHandle SCALE = place(ROWS.scale(), P, P, L, P);
        static final MethodHandle SUMS = place(ROWS.sums(), P, L, P);
        static final MethodHandle SQUARES = place(ROWS.squares(), P, L, P, P);
        static final MethodHandle NORM = place(ROWS.norm(), P, P, L, P, P, P);
        static final MethodHandle GATE = place(EXP.gate(BITS), P, P, L, P);
        static final MethodHandle GEGLU = place(Gelu.ERF.geglu(BITS), P, P, P, L);

        private Whole() {}
    }

    /** Winograd's transforms: see {@link Filtering}. */
    static final class Filter {
        private static final Filtering F4 = new Filtering(WinogradTransform.P, WinogradTransform.Q, BITS);
        static final MethodHandle INPUT = place(F4.input(), P, P, P, L, L, L, L);
        static final MethodHandle WEIGHTS = place(F4.weights(), P, L, P, L, L);
        static final MethodHandle OUTPUT = place(F4.output(), P, P, P, L, L, L, P, L);

        private Filter() {}
    }

    /** Strips to where they belong: from, to, rows, count, apart, bias. */
    static final class Store {
        static final MethodHandle PER_COLUMN = place(Strips.store(BITS, false), P, P, L, L, L, P);
        static final MethodHandle PER_ROW = place(Strips.store(BITS, true), P, P, L, L, L, P);

        private Store() {}
    }

    /** Rows of a strip's width, and of a band's, brought together: from, distance, to, rows. */
    static final class Load {
        static final MethodHandle STRIP = place(Strips.load(BITS / 16, BITS, true), P, L, P, L);
        static final MethodHandle BAND = place(Strips.load(Floats.ROWS, BITS, false), P, L, P, L);

        private Load() {}
    }

    /** Rows to columns: from, distance, to, apart, rows, columns; then the scale. */
    static final class Turn {
        static final MethodHandle PLAIN = place(Transposition.code(false), P, L, P, L, L, L);
        static final MethodHandle SCALED = place(Transposition.code(true), P, L, P, L, L, L, P);

        private Turn() {}
    }

    /** 16-bit numbers to floats: from, to, rounds. */
    static final class Widen {
        static final MethodHandle F16 = place(Widening.f16(), P, P, L);
        static final MethodHandle BF16 = place(Widening.bf16(), P, P, L);

        private Widen() {}
    }
}
