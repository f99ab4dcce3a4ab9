package dev.gyre.machine.kernel;

import static dev.gyre.machine.assembler.Operand.Register.R8;
import static dev.gyre.machine.assembler.Operand.Register.R9;
import static dev.gyre.machine.assembler.Operand.Register.RAX;
import static dev.gyre.machine.assembler.Operand.Register.RCX;
import static dev.gyre.machine.assembler.Operand.Register.RDI;
import static dev.gyre.machine.assembler.Operand.Register.RDX;
import static dev.gyre.machine.assembler.Operand.Register.RSI;

import dev.gyre.machine.assembler.Assembler;
import dev.gyre.machine.assembler.Code;
import dev.gyre.machine.assembler.Instruction;
import dev.gyre.machine.assembler.Operand.Address;
import dev.gyre.machine.assembler.Operand.Mask;
import dev.gyre.machine.assembler.Operand.Vector;

/** Kernels on panels of floats, two vectors wide, before and after matrix products. */
public final class PanelKernels {

    private static final int CACHE_LINE = 64; // bytes

    private PanelKernels() {}

    /**
     * Stores a panel, or some of its columns, and adds a bias. Nothing is read or written beyond the counts. Arguments:
     *
     * <pre>
     *   from    [rows][NR] floats, from the first column on
     *   to      floats
     *   rows    at least 1
     *   count   columns, 1 to NR
     *   stride  bytes from one row to the next in {@code to}
     *   bias    floats: one for each column, or if {@code perRow} for each row
     * </pre>
     *
     * @param bits vector width; a panel is two vectors wide
     */
    public static Code store(int bits, boolean perRow) {
        Assembler asm = new Assembler();
        if (bits == 512) {
            asm.mov(RAX, -1);
            asm.op(Instruction.BZHI, RAX, RAX, RCX);
            asm.op(Instruction.KMOVW, new Mask(1), RAX);
            asm.shr(RAX, 16);
            asm.op(Instruction.KMOVW, new Mask(2), RAX);
            store(asm, bits, perRow, true);
        } else {
            // Masked stores are slow on AVX2, so whole panels avoid them.
            Assembler.Label part = asm.label("part"), lanes = asm.label("mask");
            asm.cmp(RCX, bits / 16);
            asm.jump(Assembler.Condition.NOT_ZERO, part);
            store(asm, bits, perRow, false);
            asm.bind(part);
            asm.lea(RAX, lanes);
            asm.shl(RCX, 2);
            asm.sub(RAX, RCX);
            for (int i = 0; i < 2; i++)
                asm.op(Instruction.VMOVUPS, v(4 + i, bits), Address.at(RAX, (i + 2) * bits / 8));
            store(asm, bits, perRow, true);
            asm.bind(lanes);
            for (int i = 0; i < bits / 8; i++) asm.ints(i < bits / 16 ? -1 : 0);
        }
        return asm.code("store panels of " + bits / 16 + ", a bias for each " + (perRow ? "row" : "column"));
    }

    private static void store(Assembler asm, int bits, boolean perRow, boolean masked) {
        if (!perRow) for (int i = 0; i < 2; i++) load(asm, i, v(2 + i, bits), Address.at(R9, i * bits / 8), masked);
        Assembler.Label row = asm.here("row");
        if (perRow) asm.op(Instruction.VBROADCASTSS, v(2, bits), Address.at(R9));
        for (int i = 0; i < 2; i++) {
            Vector to = v(i, bits);
            Address place = Address.at(RSI, i * bits / 8);
            load(asm, i, to, Address.at(RDI, i * bits / 8), masked);
            asm.op(Instruction.VADDPS, to, to, v(perRow ? 2 : 2 + i, bits));
            if (!masked) asm.op(Instruction.VMOVUPS_STORE, place, to);
            else if (bits == 512) asm.op(Instruction.VMOVUPS_STORE, place.masked(1 + i), to);
            else asm.op(Instruction.VMASKMOVPS_STORE, place, v(4 + i, bits), to);
        }
        if (perRow) asm.add(R9, 4);
        asm.add(RDI, bits / 4);
        asm.add(RSI, R8);
        asm.sub(RDX, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, row);
        asm.vzeroupper();
        asm.ret();
    }

    /** Loads the panel's i-th vector, or its valid lanes. */
    private static void load(Assembler asm, int i, Vector to, Address from, boolean masked) {
        if (!masked) asm.op(Instruction.VMOVUPS, to, from);
        else if (to.bits() == 512) asm.op(Instruction.VMOVUPS, to.zeroing(1 + i), from);
        else asm.op(Instruction.VMASKMOVPS, to, v(4 + i, to.bits()), from);
    }

    /**
     * Packs short rows. Arguments: from, stride (bytes from one row to the next), to [rows][floats], rows (at least 1).
     *
     * @param floats of a row, an even number of at most two vectors
     * @param bits the widest vectors to use
     * @param prefetch whether to prefetch as many floats behind each row: rows are too far apart for the hardware
     *     prefetcher
     */
    public static Code load(int floats, int bits, boolean prefetch) {
        Assembler asm = new Assembler();
        Assembler.Label row = asm.here("row");
        int done = 0, number = 0;
        for (int width = bits; width >= 128; width /= 2)
            for (; floats - done >= width / 32; done += width / 32) {
                asm.op(Instruction.VMOVUPS, v(number, width), Address.at(RDI, done * Float.BYTES));
                asm.op(Instruction.VMOVUPS_STORE, Address.at(RDX, done * Float.BYTES), v(number++, width));
            }
        if (floats - done == 2) {
            asm.mov(RAX, Address.at(RDI, done * Float.BYTES));
            asm.mov(Address.at(RDX, done * Float.BYTES), RAX);
        }
        if (prefetch)
            for (int at = 0; at < floats * Float.BYTES; at += CACHE_LINE)
                asm.prefetch(Address.at(RDI, floats * Float.BYTES + at));
        asm.add(RDI, RSI);
        asm.add(RDX, floats * Float.BYTES);
        asm.sub(RCX, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, row);
        asm.vzeroupper();
        asm.ret();
        return asm.code("load rows of " + floats);
    }

    private static Vector v(int number, int bits) {
        return new Vector(number, bits);
    }

    /**
     * Multiplies columns: c[row][j] ·= factors[j]. Arguments: c [rows][NR], factors [NR], rows (at least 1).
     *
     * @param bits vector width; a panel is two vectors wide
     */
    public static Code scale(int bits) {
        Assembler asm = new Assembler();
        Vector[] v = new Vector[4];
        for (int i = 0; i < 4; i++) v[i] = new Vector(i, bits);
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
        return asm.code("scale panels of " + bits / 16);
    }

    /**
     * Gathers the rows of a panel through an indirection table, as an indirect {@link GemmKernel} reads them.
     * Arguments: from, to [depth][NR], depth (at least 1), table [depth] longs.
     *
     * @param bits vector width; a panel is two vectors wide
     */
    public static Code gather(int bits) {
        Assembler asm = new Assembler();
        Assembler.Label row = asm.here("row");
        asm.mov(RAX, Address.at(RCX));
        for (int i = 0; i < 2; i++) {
            asm.op(Instruction.VMOVUPS, v(i, bits), Address.at(RDI, RAX, 1, i * bits / 8));
            asm.op(Instruction.VMOVUPS_STORE, Address.at(RSI, i * bits / 8), v(i, bits));
        }
        asm.add(RCX, 8);
        asm.add(RSI, bits / 4);
        asm.sub(RDX, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, row);
        asm.vzeroupper();
        asm.ret();
        return asm.code("gather panels of " + bits / 16);
    }
}
