package dev.gyre.machine;

import static dev.gyre.machine.Operand.Register.R10;
import static dev.gyre.machine.Operand.Register.R11;
import static dev.gyre.machine.Operand.Register.R8;
import static dev.gyre.machine.Operand.Register.RAX;
import static dev.gyre.machine.Operand.Register.RCX;
import static dev.gyre.machine.Operand.Register.RDI;
import static dev.gyre.machine.Operand.Register.RDX;
import static dev.gyre.machine.Operand.Register.RSI;

import dev.gyre.machine.Operand.Address;
import dev.gyre.machine.Operand.Vector;

/**
 * e to the x, lane by lane: x = n · ln 2 + r, a polynomial of degree 7 in r, a scale by 2ⁿ. Which numbers and in which order of
 * roundings is the caller's definition; the same bits come out.
 *
 * @param least below it the result stays what it is there
 * @param most likewise above
 * @param log2e 1 / ln 2
 * @param round what rounds to a whole number when added and subtracted
 * @param ln2High ln 2 in two parts
 * @param ln2Low the second
 * @param polynomial coefficients of r⁷ down to r²; those of r and 1 are 1
 */
public record Exponential(
        float least, float most, float log2e, float round, float ln2High, float ln2Low, float... polynomial) {
    private static final int LEAST = 0,
            MOST = 1,
            LOG2E = 2,
            ROUND = 3,
            HIGH = 4,
            LOW = 5,
            POLYNOMIAL = 6,
            ONE = 12,
            BIAS = 13;
    private static final int COUNT = 14;

    /**
     * One block of a streaming softmax down the columns of a strip two vectors wide: scores become exponentials of their difference
     * from the largest. Arguments:
     *
     * <pre>
     *   scores      [rows][strip]
     *   largest     [strip], of each column so far; follows
     *   total       [strip], of the exponentials so far; follows
     *   correction  [strip], gets what sums made with the old largest are to be multiplied with
     *   rows        at least 1
     * </pre>
     */
    public Code softmax(int bits) {
        Assembler asm = new Assembler();
        int bytes = bits / 8, line = 2 * bytes;
        Constants constants = constants(bits);
        Assembler.Label table = asm.label("constants");
        constants.load(asm, table);

        Vector most0 = v(bits, 0), most1 = v(bits, 1);
        asm.op(Instruction.VMOVUPS, most0, Address.at(RSI));
        asm.op(Instruction.VMOVUPS, most1, Address.at(RSI, bytes));
        asm.mov(R10, RDI);
        asm.mov(R11, R8);
        Assembler.Label max = asm.here("max");
        for (int i = 0; i < 2; i++) {
            asm.op(Instruction.VMOVUPS, v(bits, 2 + i), Address.at(R10, i * bytes));
            // The score if it is greater, else the old one: of a NaN nothing is taken.
            asm.op(Instruction.VMAXPS, v(bits, i), v(bits, 2 + i), v(bits, i));
        }
        asm.add(R10, line);
        asm.sub(R11, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, max);

        // Sums of exponentials in registers 6 and 7, beginning with the corrected old ones.
        for (int i = 0; i < 2; i++) {
            asm.op(Instruction.VMOVUPS, v(bits, 2), Address.at(RSI, i * bytes));
            asm.op(Instruction.VSUBPS, v(bits, 2), v(bits, 2), v(bits, i));
            asm.op(Instruction.VMOVUPS_STORE, Address.at(RSI, i * bytes), v(bits, i));
            exp(asm, constants, v(bits, 2), v(bits, 3), v(bits, 4), v(bits, 5));
            asm.op(Instruction.VMOVUPS_STORE, Address.at(RCX, i * bytes), v(bits, 4));
            asm.op(Instruction.VMULPS, v(bits, 6 + i), v(bits, 4), Address.at(RDX, i * bytes));
        }
        Assembler.Label row = asm.here("row");
        for (int i = 0; i < 2; i++) {
            asm.op(Instruction.VMOVUPS, v(bits, 2), Address.at(RDI, i * bytes));
            asm.op(Instruction.VSUBPS, v(bits, 2), v(bits, 2), v(bits, i));
            exp(asm, constants, v(bits, 2), v(bits, 3), v(bits, 4), v(bits, 5));
            asm.op(Instruction.VADDPS, v(bits, 6 + i), v(bits, 6 + i), v(bits, 4));
            asm.op(Instruction.VMOVUPS_STORE, Address.at(RDI, i * bytes), v(bits, 4));
        }
        asm.add(RDI, line);
        asm.sub(R8, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, row);
        for (int i = 0; i < 2; i++) asm.op(Instruction.VMOVUPS_STORE, Address.at(RDX, i * bytes), v(bits, 6 + i));
        asm.vzeroupper();
        asm.ret();
        asm.bind(table);
        constants.write(asm);
        return asm.code("softmax of strips of " + bits / 16);
    }

    /**
     * y = x / (1 + e^(−slope · x)) for x = (v − middle) · scale + shift, a row of floats: a norm's last step and the gate after it.
     * Arguments:
     *
     * <pre>
     *   from, to  floats; may be the same
     *   rounds    of {@link Rows#ROUND} floats, at least 1
     *   numbers   middle, scale, shift, −slope
     * </pre>
     */
    public Code gate(int bits) {
        Rows rows = new Rows(bits);
        Assembler asm = new Assembler();
        Constants constants = constants(bits);
        Assembler.Label table = asm.label("constants");
        constants.load(asm, table);
        for (int i = 0; i < 4; i++) asm.op(Instruction.VBROADCASTSS, v(bits, 8 + i), Address.at(RCX, 4 * i));
        Assembler.Label round = asm.here("round");
        for (int i = 0; i < rows.vectors(); i++) {
            Vector x = v(bits, 0), e = v(bits, 4);
            asm.op(Instruction.VMOVUPS, x, rows.at(RDI, i));
            asm.op(Instruction.VSUBPS, x, x, v(bits, 8));
            asm.op(Instruction.VFMADD213PS, x, v(bits, 9), v(bits, 10));
            asm.op(Instruction.VMULPS, v(bits, 2), x, v(bits, 11));
            exp(asm, constants, v(bits, 2), v(bits, 3), e, v(bits, 5));
            asm.op(Instruction.VADDPS, e, e, constants.at(ONE));
            asm.op(Instruction.VDIVPS, x, x, e);
            asm.op(Instruction.VMOVUPS_STORE, rows.at(RSI, i), x);
        }
        Rows.rounds(asm, round, RDX, RDI, RSI);
        asm.bind(table);
        constants.write(asm);
        return asm.code("gate in vectors of " + bits);
    }

    /** p = e^x; x and the others are overwritten. */
    private static void exp(Assembler asm, Constants constants, Vector x, Vector n, Vector p, Vector square) {
        // A comparison with NaN gives the second source: a NaN stays one.
        asm.op(Instruction.VMOVUPS, n, constants.at(LEAST));
        asm.op(Instruction.VMAXPS, x, n, x);
        asm.op(Instruction.VMOVUPS, n, constants.at(MOST));
        asm.op(Instruction.VMINPS, x, n, x);
        asm.op(Instruction.VMULPS, n, x, constants.at(LOG2E));
        asm.op(Instruction.VADDPS, n, n, constants.at(ROUND));
        asm.op(Instruction.VSUBPS, n, n, constants.at(ROUND));
        asm.op(Instruction.VFMADD231PS, x, n, constants.at(HIGH));
        asm.op(Instruction.VFMADD231PS, x, n, constants.at(LOW));
        asm.op(Instruction.VMOVUPS, p, constants.at(POLYNOMIAL));
        for (int i = 1; i < 6; i++) asm.op(Instruction.VFMADD213PS, p, x, constants.at(POLYNOMIAL + i));
        asm.op(Instruction.VMULPS, square, x, x);
        asm.op(Instruction.VFMADD213PS, p, square, x);
        asm.op(Instruction.VADDPS, p, p, constants.at(ONE));
        asm.op(Instruction.VCVTTPS2DQ, n, n);
        asm.op(Instruction.VPADDD, n, n, constants.at(BIAS));
        asm.op(Instruction.VPSLLD, n, n, new Operand.Immediate(23));
        asm.op(Instruction.VMULPS, p, p, n);
    }

    private static Vector v(int bits, int number) {
        return new Vector(number, bits, 0, false);
    }

    private Constants constants(int bits) {
        float[] values = new float[COUNT];
        values[LEAST] = least;
        values[MOST] = most;
        values[LOG2E] = log2e;
        values[ROUND] = round;
        values[HIGH] = -ln2High;
        values[LOW] = -ln2Low;
        System.arraycopy(polynomial, 0, values, POLYNOMIAL, 6);
        values[ONE] = 1;
        values[BIAS] = Float.intBitsToFloat(127); // a whole number, for VPADDD
        return new Constants(bits, RAX, 16, values);
    }
}
