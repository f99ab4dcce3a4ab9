package dev.gyre.machine.kernel;

import static dev.gyre.machine.assembler.Operand.Register.R8;
import static dev.gyre.machine.assembler.Operand.Register.R9;
import static dev.gyre.machine.assembler.Operand.Register.RCX;
import static dev.gyre.machine.assembler.Operand.Register.RDI;
import static dev.gyre.machine.assembler.Operand.Register.RDX;
import static dev.gyre.machine.assembler.Operand.Register.RSI;

import dev.gyre.machine.assembler.Assembler;
import dev.gyre.machine.assembler.Code;
import dev.gyre.machine.assembler.Instruction;
import dev.gyre.machine.assembler.Operand.Address;
import dev.gyre.machine.assembler.Operand.Register;
import dev.gyre.machine.assembler.Operand.Vector;

/**
 * What is done with long rows of floats where they lie, {@value #UNROLL} at a time: nothing is read or written beyond the rounds, and
 * what is left over is the caller's. Each number comes out as from the same operations one by one, whatever the width of a vector.
 *
 * @param bits of a vector, 256 or 512
 */
public record ElementwiseKernels(int bits) {
    /** Floats of a round. */
    public static final int UNROLL = 16;

    private static final int BYTES = UNROLL * Float.BYTES;

    /** y = a + scale · b, each operation rounded. Arguments: a, b, y (may be one of them), rounds (at least 1), scale in memory. */
    public Code add() {
        Assembler asm = new Assembler();
        asm.op(Instruction.VBROADCASTSS, v(8), Address.at(R8));
        Assembler.Label round = asm.here("round");
        for (int i = 0; i < vectors(); i++) {
            asm.op(Instruction.VMULPS, v(i), v(8), at(RSI, i));
            asm.op(Instruction.VADDPS, v(i), v(i), at(RDI, i));
            asm.op(Instruction.VMOVUPS_STORE, at(RDX, i), v(i));
        }
        return finish(asm, round, RCX, RDI, RSI, RDX).code(name("add"));
    }

    /**
     * y = (x − middle) · scale + shift, the last two in one rounding. Arguments: x, y (may be the same), rounds (at least 1), numbers:
     * middle, scale, shift.
     */
    public Code scale() {
        Assembler asm = new Assembler();
        for (int i = 0; i < 3; i++) asm.op(Instruction.VBROADCASTSS, v(8 + i), Address.at(RCX, 4 * i));
        Assembler.Label round = asm.here("round");
        for (int i = 0; i < vectors(); i++) {
            asm.op(Instruction.VMOVUPS, v(i), at(RDI, i));
            asm.op(Instruction.VSUBPS, v(i), v(i), v(8));
            asm.op(Instruction.VFMADD213PS, v(i), v(9), v(10));
            asm.op(Instruction.VMOVUPS_STORE, at(RSI, i), v(i));
        }
        return finish(asm, round, RDX, RDI, RSI).code(name("scale"));
    }

    /** Sums in {@value #UNROLL} chains, of every {@value #UNROLL}th number each. Arguments: x, rounds (at least 1), sums [ROUND]. */
    public Code sums() {
        Assembler asm = new Assembler();
        for (int i = 0; i < vectors(); i++) asm.op(Instruction.VXORPS, v(i), v(i), v(i));
        Assembler.Label round = asm.here("round");
        for (int i = 0; i < vectors(); i++) asm.op(Instruction.VADDPS, v(i), v(i), at(RDI, i));
        return storeChains(asm, round).code(name("sums"));
    }

    /**
     * Sums of squared differences from a number, in chains as {@link #sums}. Arguments: x, rounds (at least 1), sums [ROUND], the number
     * in memory.
     */
    public Code squares() {
        Assembler asm = new Assembler();
        asm.op(Instruction.VBROADCASTSS, v(8), Address.at(RCX));
        for (int i = 0; i < vectors(); i++) asm.op(Instruction.VXORPS, v(i), v(i), v(i));
        Assembler.Label round = asm.here("round");
        for (int i = 0; i < vectors(); i++) {
            asm.op(Instruction.VMOVUPS, v(4 + i), at(RDI, i));
            asm.op(Instruction.VSUBPS, v(4 + i), v(4 + i), v(8));
            asm.op(Instruction.VFMADD231PS, v(i), v(4 + i), v(4 + i));
        }
        return storeChains(asm, round).code(name("squares"));
    }

    /**
     * y = (x − mean) · inverse · weight + bias, the last two in one rounding. Arguments: x, y (may be the same), rounds (at least 1),
     * numbers: mean, inverse; weight and bias, a number for each of x.
     */
    public Code norm() {
        Assembler asm = new Assembler();
        for (int i = 0; i < 2; i++) asm.op(Instruction.VBROADCASTSS, v(8 + i), Address.at(RCX, 4 * i));
        Assembler.Label round = asm.here("round");
        for (int i = 0; i < vectors(); i++) {
            asm.op(Instruction.VMOVUPS, v(i), at(RDI, i));
            asm.op(Instruction.VSUBPS, v(i), v(i), v(8));
            asm.op(Instruction.VMULPS, v(i), v(i), v(9));
            asm.op(Instruction.VMOVUPS, v(4 + i), at(R8, i));
            asm.op(Instruction.VFMADD213PS, v(i), v(4 + i), at(R9, i));
            asm.op(Instruction.VMOVUPS_STORE, at(RSI, i), v(i));
        }
        return finish(asm, round, RDX, RDI, RSI, R8, R9).code(name("norm"));
    }

    /** The end of a loop over rounds of x, after which the chains go to where they are wanted, and of the kernel. */
    private Assembler storeChains(Assembler asm, Assembler.Label round) {
        asm.add(RDI, BYTES);
        asm.sub(RSI, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, round);
        for (int i = 0; i < vectors(); i++) asm.op(Instruction.VMOVUPS_STORE, at(RDX, i), v(i));
        asm.vzeroupper();
        asm.ret();
        return asm;
    }

    /** The end of a loop over rounds, each of which moves the places on. */
    static void endLoop(Assembler asm, Assembler.Label round, Register count, Register... places) {
        for (Register place : places) asm.add(place, BYTES);
        asm.sub(count, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, round);
    }

    /** The end of such a loop, and of the kernel. */
    static Assembler finish(Assembler asm, Assembler.Label round, Register count, Register... places) {
        endLoop(asm, round, count, places);
        asm.vzeroupper();
        asm.ret();
        return asm;
    }

    /** Vectors of a round. */
    int vectors() {
        return 32 * UNROLL / bits;
    }

    Vector v(int number) {
        return new Vector(number, bits);
    }

    /** The round's i-th vector. */
    Address at(Register place, int i) {
        return Address.at(place, i * bits / 8);
    }

    private String name(String what) {
        return what + " of rows in vectors of " + bits;
    }
}
