package dev.gyre.machine;

import static dev.gyre.machine.Operand.Register.R8;
import static dev.gyre.machine.Operand.Register.R9;
import static dev.gyre.machine.Operand.Register.RAX;
import static dev.gyre.machine.Operand.Register.RCX;
import static dev.gyre.machine.Operand.Register.RDI;
import static dev.gyre.machine.Operand.Register.RDX;
import static dev.gyre.machine.Operand.Register.RSI;
import static dev.gyre.machine.Operand.Vector.zmm;

import dev.gyre.machine.Operand.Address;
import dev.gyre.machine.Operand.Mask;
import dev.gyre.machine.Operand.Vector;

/** What is done with strips of floats, two vectors wide, before and after products. */
public final class Strips {
    private static final int LINE = 128; // bytes of a row of a strip of two vectors of 512 bits

    private Strips() {}

    /**
     * Takes a strip, or a part of its columns, to where it belongs and adds a bias. Vectors of 512 bits; nothing is read or written
     * beyond the counts. Arguments:
     *
     * <pre>
     *   from   [rows][32] floats, where the first column begins
     *   to     floats
     *   rows   at least 1
     *   count  columns, 1 to 32
     *   apart  bytes from one row to the next in {@code to}
     *   bias   floats: one for each column, or if {@code perRow} for each row
     * </pre>
     */
    public static Code store(boolean perRow) {
        Assembler asm = new Assembler();
        asm.mov(RAX, -1);
        asm.op(Instruction.BZHI, RAX, RAX, RCX);
        asm.op(Instruction.KMOVW, new Mask(1), RAX);
        asm.shr(RAX, 16);
        asm.op(Instruction.KMOVW, new Mask(2), RAX);
        if (!perRow)
            for (int i = 0; i < 2; i++) asm.op(Instruction.VMOVUPS, zmm(2 + i).zeroing(1 + i), Address.at(R9, 64 * i));
        Assembler.Label row = asm.here("row");
        if (perRow) asm.op(Instruction.VBROADCASTSS, zmm(2), Address.at(R9));
        for (int i = 0; i < 2; i++) {
            asm.op(Instruction.VMOVUPS, zmm(i).zeroing(1 + i), Address.at(RDI, 64 * i));
            asm.op(Instruction.VADDPS, zmm(i), zmm(i), zmm(perRow ? 2 : 2 + i));
            asm.op(Instruction.VMOVUPS_STORE, Address.at(RSI, 64 * i).masked(1 + i), zmm(i));
        }
        if (perRow) asm.add(R9, 4);
        asm.add(RDI, LINE);
        asm.add(RSI, R8);
        asm.sub(RDX, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, row);
        asm.vzeroupper();
        asm.ret();
        return asm.code("store, a bias for each " + (perRow ? "row" : "column"));
    }

    /**
     * Multiplies columns: c[row][j] ·= factors[j]. Arguments: c [rows][strip], factors [strip], rows (at least 1).
     *
     * @param bits of a vector, two of which are a strip
     */
    public static Code scale(int bits) {
        Assembler asm = new Assembler();
        Vector[] v = new Vector[4];
        for (int i = 0; i < 4; i++) v[i] = new Vector(i, bits, 0, false);
        for (int i = 0; i < 2; i++) asm.op(Instruction.VMOVUPS, v[2 + i], Address.at(RSI, i * bits / 8));
        Assembler.Label row = asm.here("row");
        for (int i = 0; i < 2; i++) {
            asm.op(Instruction.VMULPS, v[i], v[2 + i], Address.at(RDI, i * bits / 8));
            asm.op(Instruction.VMOVUPS_STORE, Address.at(RDI, i * bits / 8), v[i]);
        }
        asm.add(RDI, bits / 4);
        asm.sub(RDX, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, row);
        asm.vzeroupper();
        asm.ret();
        return asm.code("scale strips of " + bits / 16);
    }

    /**
     * Brings a strip's scattered rows together, as {@link Product} reads them scattered. Vectors of 512 bits. Arguments: from, to
     * [depth][32], depth (at least 1), table [depth] longs.
     */
    public static Code gather() {
        Assembler asm = new Assembler();
        Assembler.Label row = asm.here("row");
        asm.mov(RAX, Address.at(RCX));
        for (int i = 0; i < 2; i++) {
            asm.op(Instruction.VMOVUPS, zmm(i), Address.at(RDI, RAX, 1, 64 * i));
            asm.op(Instruction.VMOVUPS_STORE, Address.at(RSI, 64 * i), zmm(i));
        }
        asm.add(RCX, 8);
        asm.add(RSI, LINE);
        asm.sub(RDX, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, row);
        asm.vzeroupper();
        asm.ret();
        return asm.code("gather");
    }
}
