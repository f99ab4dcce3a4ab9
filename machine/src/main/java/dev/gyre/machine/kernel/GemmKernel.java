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
 * The innermost block of matrix products: bands of C become, or gain, the products of bands of A with one strip of B. All of a
 * band's sums stay in registers while k runs; each step loads a row of the strip and broadcasts a column of the band.
 *
 * <p>Elements are 32 bits wide: floats, or pairs of bf16 numbers that follow one another in k (the first in the lower half), whose
 * products are summed in floats. Arguments:
 *
 * <pre>
 *   a      bands, one after the other: FLOATS [depth][band], PAIRS [band][depth]
 *   b      [depth][strip]
 *   c      [bands · rows][strip], floats
 *   depth  elements that k runs over, at least 1
 *   bands  at least 1
 *   add    0: c is written; 1: c gains the sum, which begins at zero all the same
 *   table  only if {@code scattered}: [depth] longs, at how many bytes from b each row of the strip begins
 * </pre>
 *
 * @param kind of elements
 * @param rows that are computed of each band
 * @param mr rows that a band holds; where it is more than {@code rows}, for one band at a time
 * @param vectors that a strip is wide
 * @param bits of a vector
 * @param indirect whether a table says where the strip's rows are: the windows of a convolution need not be copied together
 */
public record GemmKernel(Kind kind, int rows, int mr, int vectors, int bits, boolean indirect) {
    /** What an element is. */
    public enum Kind {
        /** A chain of fused multiply-adds. */
        F32,
        /** Dot products of pairs. */
        BF16
    }

    /** Steps of k in one round of the loop. */
    private static final int UNROLL = 4;

    /** Where each three rows of a band of PAIRS begin: an address reaches a base, and one or two lines beyond it. */
    private static final List<Register> BASES = List.of(RBX, RBP, R12, R13, R14);

    /** All rows of each band, and a strip of two vectors in one place. */
    public GemmKernel(Kind kind, int rows, int bits) {
        this(kind, rows, rows, 2, bits, false);
    }

    /** @throws IllegalArgumentException when sums, factors and a row's element do not fit the processor's registers */
    public GemmKernel {
        int registers = bits == 512 ? 32 : 16;
        if (rows * vectors + vectors + 1 > registers)
            throw new IllegalArgumentException(
                    rows + " rows of " + vectors + " vectors do not fit " + registers + " registers");
        if (kind == Kind.BF16 && rows > 3 * BASES.size())
            throw new IllegalArgumentException("at most " + 3 * BASES.size() + " rows of pairs, got " + rows);
    }

    /** Floats of a row of C. */
    public int nr() {
        return vectors * bits / 32;
    }

    /** Assembles it. What the processor must know: {@link Feature}. */
    public Code code() {
        Assembler asm = new Assembler();
        List<Register> bases = kind == Kind.BF16 ? BASES.subList(0, (rows + 2) / 3) : List.of();
        List<Register> saved = new ArrayList<>(bases);
        if (indirect) saved.add(R15);
        saved.forEach(asm::push);
        if (kind == Kind.BF16) {
            asm.mov(RAX, RCX);
            asm.shl(RAX, 2); // bytes of a line of A
        }
        Assembler.Label next = asm.here("band");
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
        Assembler.Label rest = asm.label("rest"), one = asm.label("one"), done = asm.label("done");
        asm.sub(R11, UNROLL);
        asm.jump(Assembler.Condition.LESS, rest);
        Assembler.Label round = asm.here("round");
        for (int i = 0; i < UNROLL; i++) step(asm, bases, i);
        advance(asm, bases, UNROLL);
        asm.sub(R11, UNROLL);
        asm.jump(Assembler.Condition.NOT_LESS, round);
        asm.bind(rest);
        asm.add(R11, UNROLL);
        asm.jump(Assembler.Condition.ZERO, done);
        asm.bind(one);
        step(asm, bases, 0);
        advance(asm, bases, 1);
        asm.sub(R11, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, one);
        asm.bind(done);
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
        return asm.code("product of " + kind.name().toLowerCase() + ", " + rows + (mr > rows ? " of " + mr : "")
                + " rows by " + nr() + (indirect ? ", scattered" : ""));
    }

    /** Step {@code i} from where the pointers are. */
    private void step(Assembler asm, List<Register> bases, int i) {
        int b = rows * vectors, a = b + vectors, free = (bits == 512 ? 32 : 16) - a;
        if (indirect) asm.mov(R15, Address.at(R10, 8 * i));
        for (int v = 0; v < vectors; v++)
            asm.op(
                    Instruction.VMOVUPS,
                    vector(b + v),
                    indirect ? Address.at(RSI, R15, 1, v * bits / 8) : Address.at(R10, (i * vectors + v) * bits / 8));
        for (int row = 0; row < rows; row++) {
            Vector one = vector(a + row % free);
            asm.op(Instruction.VBROADCASTSS, one, elementOfA(bases, row, i));
            for (int v = 0; v < vectors; v++)
                asm.op(
                        kind == Kind.BF16 ? Instruction.VDPBF16PS : Instruction.VFMADD231PS,
                        vector(row * vectors + v),
                        vector(b + v),
                        one);
        }
    }

    private Address elementOfA(List<Register> bases, int row, int step) {
        if (kind == Kind.F32) return Address.at(RDI, (step * mr + row) * 4);
        Register base = bases.get(row / 3);
        return row % 3 == 0 ? Address.at(base, step * 4) : Address.at(base, RAX, row % 3, step * 4);
    }

    private void advance(Assembler asm, List<Register> bases, int steps) {
        asm.add(R10, steps * (indirect ? 8 : nr() * 4));
        if (kind == Kind.F32) asm.add(RDI, steps * mr * 4); // ends where the next band begins
        for (Register base : bases) asm.add(base, steps * 4);
    }

    /** Every base is a line further than it began: so is the last, and the rows from it on are yet to be passed. */
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
