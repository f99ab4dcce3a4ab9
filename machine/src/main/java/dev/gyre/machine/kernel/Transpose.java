package dev.gyre.machine.kernel;

import static dev.gyre.machine.assembler.Operand.Register.R10;
import static dev.gyre.machine.assembler.Operand.Register.R11;
import static dev.gyre.machine.assembler.Operand.Register.R8;
import static dev.gyre.machine.assembler.Operand.Register.R9;
import static dev.gyre.machine.assembler.Operand.Register.RAX;
import static dev.gyre.machine.assembler.Operand.Register.RBP;
import static dev.gyre.machine.assembler.Operand.Register.RBX;
import static dev.gyre.machine.assembler.Operand.Register.RCX;
import static dev.gyre.machine.assembler.Operand.Register.RDI;
import static dev.gyre.machine.assembler.Operand.Register.RDX;
import static dev.gyre.machine.assembler.Operand.Register.RSI;
import static dev.gyre.machine.assembler.Operand.Register.RSP;

import dev.gyre.machine.Feature;
import dev.gyre.machine.assembler.Assembler;
import dev.gyre.machine.assembler.Code;
import dev.gyre.machine.assembler.Instruction;
import dev.gyre.machine.assembler.Operand.Address;
import dev.gyre.machine.assembler.Operand.Register;
import dev.gyre.machine.assembler.Operand.Vector;
import java.util.List;

/**
 * Matrix transpose: {@code to[column][row] = from[row][column]}, elements of 32 bits. Nothing is read or written beyond
 * the counts. Arguments:
 *
 * <pre>
 *   from        [rows][columns]
 *   fromStride  bytes from one row of it to the next
 *   to          [columns][rows]
 *   toStride    bytes from one row of that to the next
 *   rows        at least 1
 *   columns     at least 1
 *   scale       only if {@code scaled}: a float in memory by which every element is multiplied
 * </pre>
 *
 * <p>Vectors of 128 bits are as fast as wider ones: a 4 × 4 block takes one store for each four elements, and
 * processors store once a cycle.
 */
public final class Transpose {
    private static final int SIDE = 4;
    private static final List<Register> SAVED = List.of(RBX, RBP);
    private static final Vector SCALE = v(15);

    private Transpose() {}

    /** Assembles it. Requires {@link Feature#AVX2}. */
    public static Code code(boolean scaled) {
        Assembler asm = new Assembler();
        if (scaled) {
            asm.mov(RAX, Address.at(RSP, 8)); // above the return address
            asm.op(Instruction.VBROADCASTSS, SCALE, Address.at(RAX));
        }
        SAVED.forEach(asm::push);
        asm.lea(RAX, Address.at(RSI, RSI, 2, 0));
        asm.lea(RBX, Address.at(RCX, RCX, 2, 0));
        for (int rows = SIDE; rows > 0; rows /= 2) rows(asm, rows, scaled);
        for (int i = SAVED.size() - 1; i >= 0; i--) asm.pop(SAVED.get(i));
        asm.ret();
        return asm.code("transpose" + (scaled ? ", scaled" : ""));
    }

    /**
     * Transposes {@code rows} rows at a time while as many remain: r10 and r11 point into {@code from} and {@code to},
     * rbp counts the columns left.
     */
    private static void rows(Assembler asm, int rows, boolean scaled) {
        Assembler.Label loop = asm.here("rows"), smaller = asm.label("smaller");
        asm.cmp(R8, rows);
        asm.jump(Assembler.Condition.LESS, smaller);
        asm.mov(R10, RDI);
        asm.mov(R11, RDX);
        asm.mov(RBP, R9);
        Assembler.Label single = asm.label("one"), end = asm.label("done");
        if (rows > 1) {
            Assembler.Label tail = asm.label("tail");
            asm.sub(RBP, SIDE);
            asm.jump(Assembler.Condition.LESS, tail);
            Assembler.Label block = asm.here("block");
            block(asm, rows, scaled);
            asm.add(R10, SIDE * Float.BYTES);
            asm.lea(R11, Address.at(R11, RCX, SIDE, 0));
            asm.sub(RBP, SIDE);
            asm.jump(Assembler.Condition.NOT_LESS, block);
            asm.bind(tail);
            asm.add(RBP, SIDE);
            asm.jump(Assembler.Condition.ZERO, end);
        }
        asm.bind(single);
        for (int row = 0; row < rows; row++) {
            asm.op(Instruction.VBROADCASTSS, v(row), rowAddress(R10, RSI, RAX, row));
            if (scaled) asm.op(Instruction.VMULPS, v(row), v(row), SCALE);
            asm.op(Instruction.VMOVSS_STORE, Address.at(R11, row * Float.BYTES), v(row));
        }
        asm.add(R10, Float.BYTES);
        asm.add(R11, RCX);
        asm.sub(RBP, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, single);
        asm.bind(end);
        asm.lea(RDI, rows == 1 ? Address.at(RDI, RSI, 1, 0) : Address.at(RDI, RSI, rows, 0));
        asm.add(RDX, rows * Float.BYTES);
        asm.sub(R8, rows);
        asm.jump(loop);
        asm.bind(smaller);
    }

    /** Transposes four columns of four rows, or of two. */
    private static void block(Assembler asm, int rows, boolean scaled) {
        for (int row = 0; row < rows; row++) {
            if (scaled) asm.op(Instruction.VMULPS, v(row), SCALE, rowAddress(R10, RSI, RAX, row));
            else asm.op(Instruction.VMOVUPS, v(row), rowAddress(R10, RSI, RAX, row));
        }
        // Interleaves rows 0 and 2, and 1 and 3, then those; with two rows, each result holds two columns.
        for (int half = 0; half < 2; half++)
            for (int i = 0; i < rows / 2; i++) asm.op(unpack(half), v(4 + rows / 2 * half + i), v(i), v(i + rows / 2));
        if (rows == 2) {
            for (int column = 0; column < SIDE; column++)
                asm.op(
                        column % 2 == 0 ? Instruction.VMOVLPS_STORE : Instruction.VMOVHPS_STORE,
                        rowAddress(R11, RCX, RBX, column),
                        v(4 + column / 2));
            return;
        }
        for (int column = 0; column < SIDE; column++) {
            int pair = 4 + column / 2 * 2;
            asm.op(unpack(column % 2), v(8 + column), v(pair), v(pair + 1));
            asm.op(Instruction.VMOVUPS_STORE, rowAddress(R11, RCX, RBX, column), v(8 + column));
        }
    }

    /** Interleaves the lower elements of two vectors, or the upper. */
    private static Instruction unpack(int half) {
        return half == 0 ? Instruction.VUNPCKLPS : Instruction.VUNPCKHPS;
    }

    /** The address in the i-th row from a pointer. */
    private static Address rowAddress(Register pointer, Register stride, Register threeStrides, int i) {
        return switch (i) {
            case 0 -> Address.at(pointer);
            case 3 -> Address.at(pointer, threeStrides, 1, 0);
            default -> Address.at(pointer, stride, i, 0);
        };
    }

    private static Vector v(int number) {
        return new Vector(number, 128);
    }
}
