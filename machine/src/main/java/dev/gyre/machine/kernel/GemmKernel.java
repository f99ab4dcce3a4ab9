package dev.gyre.machine.kernel;

import static dev.gyre.machine.assembler.Operand.Register.R10;
import static dev.gyre.machine.assembler.Operand.Register.R11;
import static dev.gyre.machine.assembler.Operand.Register.R12;
import static dev.gyre.machine.assembler.Operand.Register.R13;
import static dev.gyre.machine.assembler.Operand.Register.R14;
import static dev.gyre.machine.assembler.Operand.Register.R15;
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
import java.util.ArrayList;
import java.util.List;

/**
 * The micro-kernel of matrix products: panels of C become, or accumulate, the products of panels of A with one panel of
 * B. All sums of a panel of A stay in registers while k runs; each step loads a row of the panel of B and broadcasts a
 * column of the panel of A.
 *
 * <p>Elements are 32 bits wide: floats, or pairs of bf16 elements that follow each other in k (the first in the lower
 * half), whose products are summed in floats. Arguments:
 *
 * <pre>
 *   a       panels, one after the other: F32 [depth][mr], BF16 [mr][depth]
 *   b       [depth][nr]
 *   c       [panels · rows][nr], floats
 *   depth   elements that k runs over, at least 1
 *   panels  at least 1
 *   add     0: c is overwritten; 1: the sum, which begins at zero all the same, is added to c
 *   table   only if {@code indirect}: [depth] longs, the offset in bytes of each row of B from b
 * </pre>
 *
 * @param kind of elements
 * @param rows rows of a panel of A that are computed
 * @param mr rows of a panel of A; if more than {@code rows}, only one panel can be computed
 * @param vectors width of a panel of B
 * @param bits vector width
 * @param indirect whether the rows of B are found through an indirection table, so that a convolution needs no im2col
 */
public record GemmKernel(Kind kind, int rows, int mr, int vectors, int bits, boolean indirect) {
    /** The type of an element. */
    public enum Kind {
        /** Floats, summed by fused multiply-adds. */
        F32,
        /** bf16 pairs, summed by dot products. */
        BF16
    }

    /** Steps of k in one iteration of the loop. */
    private static final int UNROLL = 4;

    /** Addresses of every third row of a BF16 panel: an address reaches its base and one or two rows beyond it. */
    private static final List<Register> BASES = List.of(RBX, RBP, R12, R13, R14);

    /** All rows of each panel, with a contiguous panel of B two vectors wide. */
    public GemmKernel(Kind kind, int rows, int bits) {
        this(kind, rows, rows, 2, bits, false);
    }

    /** @throws IllegalArgumentException when sums, factors and a row of B do not fit the processor's registers */
    public GemmKernel {
        int registers = bits == 512 ? 32 : 16;
        if (rows * vectors + vectors + 1 > registers)
            throw new IllegalArgumentException(
                    rows + " rows of " + vectors + " vectors do not fit " + registers + " registers");
        if (kind == Kind.BF16 && rows > 3 * BASES.size())
            throw new IllegalArgumentException("at most " + 3 * BASES.size() + " rows of bf16 pairs, got " + rows);
    }

    /** Columns of a panel of B: floats of a row of C. */
    public int nr() {
        return vectors * bits / 32;
    }

    /** Assembles it. {@link Feature} lists the instruction sets it requires. */
    public Code code() {
        Assembler asm = new Assembler();
        List<Register> bases = kind == Kind.BF16 ? BASES.subList(0, (rows + 2) / 3) : List.of();
        List<Register> saved = new ArrayList<>(bases);
        if (indirect) saved.add(R15);
        saved.forEach(asm::push);
        if (kind == Kind.BF16) {
            asm.mov(RAX, RCX);
            asm.shl(RAX, 2); // bytes of a row of A
        }
        Assembler.Label next = asm.here("panel");
        for (int i = 0; i < rows * vectors; i++) zero(asm, vector(i));
        if (indirect)
            asm.mov(R10, Address.at(RSP, 8 * saved.size() + 8)); // the seventh argument, behind the return address
        else asm.mov(R10, RSI);
        asm.mov(R11, RCX);
        for (int i = 0; i < bases.size(); i++)
            if (i == 0) asm.mov(bases.get(0), RDI);
            else {
                asm.lea(bases.get(i), Address.at(bases.get(i - 1), RAX, 2, 0));
                asm.add(bases.get(i), RAX);
            }
        Assembler.Label tail = asm.label("tail"), single = asm.label("one"), end = asm.label("done");
        asm.sub(R11, UNROLL);
        asm.jump(Assembler.Condition.LESS, tail);
        Assembler.Label loop = asm.here("loop");
        for (int i = 0; i < UNROLL; i++) step(asm, bases, i);
        advance(asm, bases, UNROLL);
        asm.sub(R11, UNROLL);
        asm.jump(Assembler.Condition.NOT_LESS, loop);
        asm.bind(tail);
        asm.add(R11, UNROLL);
        asm.jump(Assembler.Condition.ZERO, end);
        asm.bind(single);
        step(asm, bases, 0);
        advance(asm, bases, 1);
        asm.sub(R11, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, single);
        asm.bind(end);
        Assembler.Label store = asm.label("store");
        asm.test(R9, R9);
        asm.jump(Assembler.Condition.ZERO, store);
        for (int i = 0; i < rows * vectors; i++)
            asm.op(Instruction.VADDPS, vector(i), vector(i), Address.at(RDX, i * bits / 8));
        asm.bind(store);
        for (int i = 0; i < rows * vectors; i++)
            asm.op(Instruction.VMOVUPS_STORE, Address.at(RDX, i * bits / 8), vector(i));
        asm.add(RDX, rows * nr() * 4);
        if (kind == Kind.BF16) nextPanel(asm, bases);
        asm.sub(R8, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, next);
        asm.vzeroupper();
        for (int i = saved.size() - 1; i >= 0; i--) asm.pop(saved.get(i));
        asm.ret();
        return asm.code("GEMM of " + kind.name().toLowerCase() + ", " + rows + (mr > rows ? " of " + mr : "")
                + " rows by " + nr() + (indirect ? ", indirect" : ""));
    }

    /** Step {@code i} of k from the current pointers. */
    private void step(Assembler asm, List<Register> bases, int i) {
        int b = rows * vectors, a = b + vectors, free = (bits == 512 ? 32 : 16) - a;
        if (indirect) asm.mov(R15, Address.at(R10, 8 * i));
        for (int v = 0; v < vectors; v++)
            asm.op(
                    Instruction.VMOVUPS,
                    vector(b + v),
                    indirect ? Address.at(RSI, R15, 1, v * bits / 8) : Address.at(R10, (i * vectors + v) * bits / 8));
        for (int row = 0; row < rows; row++) {
            Vector single = vector(a + row % free);
            asm.op(Instruction.VBROADCASTSS, single, elementOfA(bases, row, i));
            for (int v = 0; v < vectors; v++)
                asm.op(
                        kind == Kind.BF16 ? Instruction.VDPBF16PS : Instruction.VFMADD231PS,
                        vector(row * vectors + v),
                        vector(b + v),
                        single);
        }
    }

    private Address elementOfA(List<Register> bases, int row, int step) {
        if (kind == Kind.F32) return Address.at(RDI, (step * mr + row) * 4);
        Register base = bases.get(row / 3);
        return row % 3 == 0 ? Address.at(base, step * 4) : Address.at(base, RAX, row % 3, step * 4);
    }

    private void advance(Assembler asm, List<Register> bases, int steps) {
        asm.add(R10, steps * (indirect ? 8 : nr() * 4));
        if (kind == Kind.F32) asm.add(RDI, steps * mr * 4); // ends where the next panel begins
        for (Register base : bases) asm.add(base, steps * 4);
    }

    /** Each base has advanced by one row, the last included; moves rdi past the rows from the last base on. */
    private void nextPanel(Assembler asm, List<Register> bases) {
        asm.mov(RDI, bases.get(bases.size() - 1));
        for (int i = 3 * (bases.size() - 1) + 1; i < rows; i++) asm.add(RDI, RAX);
    }

    private void zero(Assembler asm, Vector v) {
        asm.op(bits == 512 ? Instruction.VPXORD : Instruction.VXORPS, v, v, v);
    }

    private Vector vector(int number) {
        return new Vector(number, bits);
    }
}
