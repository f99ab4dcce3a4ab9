package dev.gyre.machine.kernel;

import static dev.gyre.machine.assembler.Operand.Register.R10;
import static dev.gyre.machine.assembler.Operand.Register.R11;
import static dev.gyre.machine.assembler.Operand.Register.R8;
import static dev.gyre.machine.assembler.Operand.Register.RAX;
import static dev.gyre.machine.assembler.Operand.Register.RCX;
import static dev.gyre.machine.assembler.Operand.Register.RDI;
import static dev.gyre.machine.assembler.Operand.Register.RDX;
import static dev.gyre.machine.assembler.Operand.Register.RSI;
import static dev.gyre.machine.assembler.Operand.Register.RSP;

import dev.gyre.machine.assembler.Assembler;
import dev.gyre.machine.assembler.Code;
import dev.gyre.machine.assembler.Constants;
import dev.gyre.machine.assembler.Instruction;
import dev.gyre.machine.assembler.Operand;
import dev.gyre.machine.assembler.Operand.Address;
import dev.gyre.machine.assembler.Operand.Vector;
import java.util.List;
import java.util.stream.IntStream;

/**
 * e to the x, lane by lane: x = n · ln 2 + r, a polynomial of degree 7 in r, a scale by 2ⁿ. The caller defines the
 * constants; the order of operations and roundings is that of its scalar definition, so the bits are the same.
 *
 * @param min arguments are clamped to min … max
 * @param max the upper bound
 * @param log2e 1 / ln 2
 * @param round rounds to an integer when added and subtracted
 * @param ln2High ln 2 in two parts
 * @param ln2Low the second part
 * @param polynomial coefficients from r⁷ down to r²; those of r and 1 are 1
 */
public record ExpKernels(
        float min, float max, float log2e, float round, float ln2High, float ln2Low, float... polynomial) {
    private static final int MIN = 0,
            MAX = 1,
            LOG2E = 2,
            ROUND = 3,
            HIGH = 4,
            LOW = 5,
            POLYNOMIAL = 6,
            ONE = 12,
            BIAS = 13;
    private static final int COUNT = 14;

    /**
     * One block of an online softmax down the columns of a panel two vectors wide: scores become exponentials of their
     * difference from the running maximum. Arguments:
     *
     * <pre>
     *   scores      [rows][NR]
     *   largest     [NR], the running maximum of each column; updated
     *   total       [NR], the running sum of exponentials; updated
     *   correction  [NR], receives the factor by which sums made with the old maximum are rescaled
     *   rows        at least 1
     * </pre>
     */
    public Code softmax(int bits) {
        Assembler asm = new Assembler();
        int bytes = bits / 8, line = 2 * bytes;
        Assembler.Label table = asm.label("constants");
        Constants constants = load(asm, bits, table, MIN, ROUND);

        asm.sub(RSP, 4 * bytes);
        Vector[] maximum = {v(bits, 0), v(bits, 1)}, sum = {v(bits, 12), v(bits, 13)};
        for (int i = 0; i < 2; i++) asm.op(Instruction.VMOVUPS, maximum[i], Address.at(RSI, i * bytes));
        asm.mov(R10, RDI);
        asm.mov(R11, R8);
        Assembler.Label max = asm.here("max");
        for (int i = 0; i < 2; i++) {
            asm.op(Instruction.VMOVUPS, v(bits, 2 + i), Address.at(R10, i * bytes));
            // The score if it is greater, otherwise the old maximum: NaN is ignored.
            asm.op(Instruction.VMAXPS, maximum[i], v(bits, 2 + i), maximum[i]);
        }
        asm.add(R10, line);
        asm.sub(R11, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, max);

        // Sums of exponentials begin with the rescaled old sums.
        List<Lanes>
                lanes = IntStream.range(0, 4).mapToObj(i -> new Lanes(bits, i)).toList(),
                half = lanes.subList(2, 4);
        for (int i = 0; i < 2; i++) {
            Vector x = half.get(i).x;
            asm.op(Instruction.VMOVUPS, x, Address.at(RSI, i * bytes));
            asm.op(Instruction.VSUBPS, x, x, maximum[i]);
            asm.op(Instruction.VMOVUPS_STORE, Address.at(RSI, i * bytes), maximum[i]);
        }
        exp(asm, constants, half, false);
        for (int i = 0; i < 2; i++) {
            Vector p = half.get(i).p;
            asm.op(Instruction.VMOVUPS_STORE, Address.at(RCX, i * bytes), p);
            asm.op(Instruction.VMULPS, sum[i], p, Address.at(RDX, i * bytes));
        }
        Assembler.Label last = asm.label("last"), done = asm.label("done");
        asm.sub(R8, 2);
        asm.jump(Assembler.Condition.LESS, last);
        Assembler.Label two = asm.here("two");
        rows(asm, constants, lanes, sum);
        asm.sub(R8, 2);
        asm.jump(Assembler.Condition.NOT_LESS, two);
        asm.bind(last);
        asm.add(R8, 2);
        asm.jump(Assembler.Condition.ZERO, done);
        rows(asm, constants, half, sum);
        asm.bind(done);
        for (int i = 0; i < 2; i++) asm.op(Instruction.VMOVUPS_STORE, Address.at(RDX, i * bytes), sum[i]);
        asm.add(RSP, 4 * bytes);
        asm.vzeroupper();
        asm.ret();
        asm.bind(table);
        constants.write(asm);
        return asm.code("softmax of panels of " + bits / 16);
    }

    /** Rows of two vectors each. */
    private static void rows(Assembler asm, Constants constants, List<Lanes> lanes, Vector[] sum) {
        int bytes = sum[0].bits() / 8;
        for (int i = 0; i < lanes.size(); i++) {
            Vector x = lanes.get(i).x;
            asm.op(Instruction.VMOVUPS, x, Address.at(RDI, i * bytes));
            asm.op(Instruction.VSUBPS, x, x, Address.at(RSI, i % 2 * bytes));
        }
        exp(asm, constants, lanes, false);
        for (int i = 0; i < lanes.size(); i++) {
            Vector p = lanes.get(i).p;
            asm.op(Instruction.VADDPS, sum[i % 2], sum[i % 2], p);
            asm.op(Instruction.VMOVUPS_STORE, Address.at(RDI, i * bytes), p);
        }
        asm.add(RDI, lanes.size() * bytes);
    }

    /**
     * y = x / (1 + e^(−slope · x)) for x = (v − mean) · scale + shift, a row of floats: the last step of a norm and the
     * activation after it. Arguments:
     *
     * <pre>
     *   from, to    floats; may be the same
     *   iterations  of {@link ElementwiseKernels#UNROLL} floats, at least 1
     *   parameters  mean, scale, shift, −slope
     * </pre>
     */
    public Code silu(int bits) {
        ElementwiseKernels rows = new ElementwiseKernels(bits);
        Assembler asm = new Assembler();
        Assembler.Label table = asm.label("constants");
        Constants constants = load(asm, bits, table, MIN, ROUND, MAX);
        asm.sub(RSP, rows.vectors() * bits / 8);
        for (int i = 0; i < 4; i++) asm.op(Instruction.VBROADCASTSS, v(bits, 8 + i), Address.at(RCX, 4 * i));
        List<Lanes> lanes = IntStream.range(0, rows.vectors())
                .mapToObj(i -> new Lanes(bits, i))
                .toList();
        Assembler.Label round = asm.here("loop");
        for (int i = 0; i < rows.vectors(); i++) {
            Vector x = v(bits, 6 + i);
            asm.op(Instruction.VMOVUPS, x, rows.at(RDI, i));
            asm.op(Instruction.VSUBPS, x, x, v(bits, 8));
            asm.op(Instruction.VFMADD213PS, x, v(bits, 9), v(bits, 10));
            asm.op(Instruction.VMULPS, lanes.get(i).x, x, v(bits, 11));
        }
        exp(asm, constants, lanes, true);
        for (int i = 0; i < rows.vectors(); i++) {
            Vector x = v(bits, 6 + i), e = lanes.get(i).p;
            asm.op(Instruction.VADDPS, e, e, constants.at(ONE));
            asm.op(Instruction.VDIVPS, x, x, e);
            asm.op(Instruction.VMOVUPS_STORE, rows.at(RSI, i), x);
        }
        ElementwiseKernels.endLoop(asm, round, RDX, RDI, RSI);
        asm.add(RSP, rows.vectors() * bits / 8);
        asm.vzeroupper();
        asm.ret();
        asm.bind(table);
        constants.write(asm);
        return asm.code("silu in vectors of " + bits);
    }

    /** Registers and a stack slot for one vector's exponentials: p = e^x; x and n are overwritten. */
    private record Lanes(Vector x, Vector n, Vector p, Address spill) {
        Lanes(int bits, int number) {
            this(
                    v(bits, 3 * number),
                    v(bits, 3 * number + 1),
                    v(bits, 3 * number + 2),
                    Address.at(RSP, number * bits / 8));
        }
    }

    /**
     * Exponentials of one vector, or of several interleaved: each instruction depends on the one before it, so a single
     * vector would stall the processor.
     *
     * @param positive whether x may be positive
     */
    private static void exp(Assembler asm, Constants constants, List<Lanes> all, boolean positive) {
        // A comparison with NaN returns the second source, so NaN stays NaN.
        all.forEach(l -> asm.op(Instruction.VMAXPS, l.x, named(constants.bits(), MIN), l.x));
        if (positive) all.forEach(l -> asm.op(Instruction.VMINPS, l.x, named(constants.bits(), MAX), l.x));
        all.forEach(l -> asm.op(Instruction.VMULPS, l.n, l.x, constants.at(LOG2E)));
        all.forEach(l -> asm.op(Instruction.VADDPS, l.n, l.n, named(constants.bits(), ROUND)));
        all.forEach(l -> asm.op(Instruction.VSUBPS, l.n, l.n, named(constants.bits(), ROUND)));
        all.forEach(l -> asm.op(Instruction.VMOVUPS_STORE, l.spill, l.n));
        all.forEach(l -> asm.op(Instruction.VFMADD231PS, l.x, l.n, constants.at(HIGH)));
        all.forEach(l -> asm.op(Instruction.VFMADD231PS, l.x, l.n, constants.at(LOW)));
        all.forEach(l -> asm.op(Instruction.VMOVUPS, l.p, constants.at(POLYNOMIAL)));
        for (int i = 1; i < 6; i++) {
            Operand next = constants.at(POLYNOMIAL + i);
            all.forEach(l -> asm.op(Instruction.VFMADD213PS, l.p, l.x, next));
        }
        all.forEach(l -> asm.op(Instruction.VMULPS, l.n, l.x, l.x));
        all.forEach(l -> asm.op(Instruction.VFMADD213PS, l.p, l.n, l.x));
        all.forEach(l -> asm.op(Instruction.VADDPS, l.p, l.p, constants.at(ONE)));
        all.forEach(l -> asm.op(Instruction.VCVTTPS2DQ, l.n, l.spill));
        all.forEach(l -> asm.op(Instruction.VPADDD, l.n, l.n, constants.at(BIAS)));
        all.forEach(l -> asm.op(Instruction.VPSLLD, l.n, l.n, new Operand.Immediate(23)));
        all.forEach(l -> asm.op(Instruction.VMULPS, l.p, l.p, l.n));
    }

    private static Vector v(int bits, int number) {
        return new Vector(number, bits);
    }

    /**
     * Loads the formula's constants, the {@code named} ones into registers at any width: instructions take their first
     * source from a register.
     */
    private Constants load(Assembler asm, int bits, Assembler.Label table, int... named) {
        float[] values = new float[COUNT];
        values[MIN] = min;
        values[MAX] = max;
        values[LOG2E] = log2e;
        values[ROUND] = round;
        values[HIGH] = -ln2High;
        values[LOW] = -ln2Low;
        System.arraycopy(polynomial, 0, values, POLYNOMIAL, 6);
        values[ONE] = 1;
        values[BIAS] = Float.intBitsToFloat(127); // an integer, for VPADDD
        Constants constants = new Constants(bits, RAX, 16, values);
        constants.load(asm, table);
        if (bits == 256) for (int i : named) asm.op(Instruction.VMOVUPS, named(bits, i), constants.at(i));
        return constants;
    }

    private static Vector named(int bits, int i) {
        return v(bits, bits == 512 ? 16 + i : i == MIN ? 14 : i == ROUND ? 15 : 13);
    }
}
