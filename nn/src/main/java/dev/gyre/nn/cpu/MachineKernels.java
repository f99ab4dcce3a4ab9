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
 * The machine code that ops call. Each kernel is placed when its nested class is initialized: HotSpot compiles a direct
 * call of a handle that is static and final. {@code P} is the layout of an address, {@code L} of a long.
 */
public final class MachineKernels {
    private static final MemoryLayout P = ValueLayout.ADDRESS, L = ValueLayout.JAVA_LONG;

    /** The arguments of a GEMM kernel: a, b, c, depth, panels, accumulate. */
    private static final FunctionDescriptor PRODUCT = FunctionDescriptor.ofVoid(P, P, P, L, L, L);

    private static final ExpKernels EXP = new ExpKernels(
            Exp.MIN,
            Exp.MAX,
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

    /** The vector width in bits that kernels are made for. */
    public static final int VECTOR_BITS = NativeCode.HERE.has(Feature.AVX512) ? 512 : 256;

    /** Whether bf16 products run on AMX tiles. */
    public static final boolean AMX = NativeCode.HERE.has(Feature.AMX_BF16);

    /**
     * Places code that takes these arguments: {@link ValueLayout#ADDRESS} for an address, {@link ValueLayout#JAVA_LONG}
     * for a number.
     */
    public static MethodHandle place(Code code, MemoryLayout... arguments) {
        return NativeCode.HERE.place(code, FunctionDescriptor.ofVoid(arguments));
    }

    private static MethodHandle product(GemmKernel.Kind kind, int rows, int bits) {
        return NativeCode.HERE.place(new GemmKernel(kind, rows, bits).code(), PRODUCT);
    }

    /** Rethrows the exception of a failed call: a kernel has no checked ones. */
    public static RuntimeException unexpected(Throwable e) {
        if (e instanceof RuntimeException runtime) throw runtime;
        if (e instanceof Error error) throw error;
        return new IllegalStateException(e);
    }

    /** The elements of an array from {@code element} on. */
    public static MemorySegment segmentAt(float[] array, int element) {
        return MemorySegment.ofArray(array).asSlice((long) element * Float.BYTES);
    }

    /** float32 GEMM with the usual panel height. */
    public static final class GemmF32 {
        public static final int MR = VECTOR_BITS == 512 ? 12 : 6;
        public static final MethodHandle MULTIPLY = product(GemmKernel.Kind.F32, MR, VECTOR_BITS);

        /** The first two rows of a panel of A. */
        static final MethodHandle MULTIPLY_TWO_ROWS =
                place(new GemmKernel(GemmKernel.Kind.F32, 2, MR, 2, VECTOR_BITS, false).code(), P, P, P, L, L, L);

        static final MethodHandle SOFTMAX = place(EXP.softmax(VECTOR_BITS), P, P, P, P, L);
        static final MethodHandle SCALE = place(PanelKernels.scale(VECTOR_BITS), P, P, L);

        private GemmF32() {}
    }

    /** bf16 GEMM with the usual panel height. */
    static final class GemmBf16 {
        static final int MR = AMX ? AmxGemmKernel.BLOCK : 12;
        static final MethodHandle MULTIPLY =
                AMX ? NativeCode.HERE.place(AmxGemmKernel.code(), PRODUCT) : product(GemmKernel.Kind.BF16, 12, 512);
        static final MethodHandle SOFTMAX = place(new Exp2Kernels(-126f, Exp.EXP2).softmax(), P, P, P, P, L);

        private GemmBf16() {}
    }

    /** bf16 GEMM whose rows of B are found through an indirection table. */
    public static final class IndirectGemmBf16 {
        public static final MethodHandle MULTIPLY = place(
                new GemmKernel(GemmKernel.Kind.BF16, GemmBf16.MR, GemmBf16.MR, 2, 512, true).code(),
                P,
                P,
                P,
                L,
                L,
                L,
                P);

        private IndirectGemmBf16() {}
    }

    /** Gathers the rows of a panel through an indirection table: from, to, depth, table. */
    public static final class Gather {
        public static final MethodHandle GATHER = place(PanelKernels.gather(VECTOR_BITS), P, P, L, P);

        private Gather() {}
    }

    /** bf16 GEMM with panels of 8 rows. */
    static final class GemmBf16Mr8 {
        static final MethodHandle MULTIPLY = product(GemmKernel.Kind.BF16, 8, 512);

        private GemmBf16Mr8() {}
    }

    /** bf16 GEMM with panels of 10 rows. */
    static final class GemmBf16Mr10 {
        static final MethodHandle MULTIPLY = product(GemmKernel.Kind.BF16, 10, 512);

        private GemmBf16Mr10() {}
    }

    /** Rounds floats to bf16 pairs: from, fromStride, to, toStride, rows, count. */
    static final class ToBf16Pairs {
        static final MethodHandle ALONG_ROWS = place(ToBf16.alongRows(), P, L, P, L, L, L);
        static final MethodHandle ACROSS_ROWS = place(ToBf16.acrossRows(), P, L, P, L, L, L);

        private ToBf16Pairs() {}
    }

    /**
     * Element-wise kernels on rows: see {@link ElementwiseKernels}, {@link ExpKernels#silu} and {@link
     * ErfKernels#geglu}.
     */
    static final class Rows {
        private static final ElementwiseKernels KERNELS = new ElementwiseKernels(VECTOR_BITS);
        static final MethodHandle ADD = place(KERNELS.add(), P, P, P, L, P);
        static final MethodHandle SCALE = place(KERNELS.scale(), P, P, L, P);
        static final MethodHandle SUMS = place(KERNELS.sums(), P, L, P);
        static final MethodHandle SQUARES = place(KERNELS.squares(), P, L, P, P);
        static final MethodHandle NORM = place(KERNELS.norm(), P, P, L, P, P, P);
        static final MethodHandle SILU = place(EXP.silu(VECTOR_BITS), P, P, L, P);
        static final MethodHandle GEGLU = place(Erf.KERNELS.geglu(VECTOR_BITS), P, P, P, L);

        private Rows() {}
    }

    /** Stores a panel of C with a bias: from, to, rows, count, stride, bias. */
    public static final class StorePanel {
        public static final MethodHandle COLUMN_BIAS = place(PanelKernels.store(VECTOR_BITS, false), P, P, L, L, L, P);
        public static final MethodHandle ROW_BIAS = place(PanelKernels.store(VECTOR_BITS, true), P, P, L, L, L, P);

        private StorePanel() {}
    }

    /** Packs rows that are as wide as a panel: from, stride, to, rows. */
    static final class LoadPanel {
        static final MethodHandle B_PANEL = place(PanelKernels.load(VECTOR_BITS / 16, VECTOR_BITS, true), P, L, P, L);
        static final MethodHandle A_PANEL = place(PanelKernels.load(GemmF32.MR, VECTOR_BITS, false), P, L, P, L);

        private LoadPanel() {}
    }

    /** Transposes a matrix: from, fromStride, to, toStride, rows, columns; then the scale. */
    static final class Transposed {
        static final MethodHandle PLAIN = place(Transpose.code(false), P, L, P, L, L, L);
        static final MethodHandle SCALED = place(Transpose.code(true), P, L, P, L, L, L, P);

        private Transposed() {}
    }

    /** Widens 16-bit elements to floats: from, to, iterations. */
    static final class ToFloats {
        static final MethodHandle F16 = place(ToF32.f16(), P, P, L);
        static final MethodHandle BF16 = place(ToF32.bf16(), P, P, L);

        private ToFloats() {}
    }
}
