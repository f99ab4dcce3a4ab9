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
 * Element-wise operations on rows of floats in place, {@value #UNROLL} an iteration: nothing is read or written beyond
 * the iterations, and the caller handles the remainder. Every element is computed by the same operations whatever the
 * vector width.
 *
 * @param bits vector width, 256 or 512
 */
public record ElementwiseKernels(int bits) {
    /** Floats of an iteration. */
    public static final int UNROLL = 16;

    private static final int BYTES = UNROLL * Float.BYTES;

    /**
     * y = a + scale · b, each operation rounded. Arguments: a, b, y (may alias a or b), iterations (at least 1), scale
     * in memory.
     */
    public Code add() {
        Assembler asm = new Assembler();
        asm.op(Instruction.VBROADCASTSS, v(8), Address.at(R8));
        Assembler.Label loop = asm.here("loop");
        for (int i = 0; i < vectors(); i++) {
            asm.op(Instruction.VMULPS, v(i), v(8), at(RSI, i));
            asm.op(Instruction.VADDPS, v(i), v(i), at(RDI, i));
            asm.op(Instruction.VMOVUPS_STORE, at(RDX, i), v(i));
        }
        return finish(asm, loop, RCX, RDI, RSI, RDX).code(name("add"));
    }

    /**
     * y = (x − mean) · scale + shift, the last two as a fused multiply-add. Arguments: x, y (may alias x), iterations
     * (at least 1), parameters in memory: mean, scale, shift.
     */
    public Code scale() {
        Assembler asm = new Assembler();
        for (int i = 0; i < 3; i++) asm.op(Instruction.VBROADCASTSS, v(8 + i), Address.at(RCX, 4 * i));
        Assembler.Label loop = asm.here("loop");
        for (int i = 0; i < vectors(); i++) {
            asm.op(Instruction.VMOVUPS, v(i), at(RDI, i));
            asm.op(Instruction.VSUBPS, v(i), v(i), v(8));
            asm.op(Instruction.VFMADD213PS, v(i), v(9), v(10));
            asm.op(Instruction.VMOVUPS_STORE, at(RSI, i), v(i));
        }
        return finish(asm, loop, RDX, RDI, RSI).code(name("scale"));
    }

    /**
     * Sums in {@value #UNROLL} accumulators, each of every {@value #UNROLL}th element. Arguments: x, iterations (at
     * least 1), sums [UNROLL].
     */
    public Code sums() {
        Assembler asm = new Assembler();
        for (int i = 0; i < vectors(); i++) asm.op(Instruction.VXORPS, v(i), v(i), v(i));
        Assembler.Label loop = asm.here("loop");
        for (int i = 0; i < vectors(); i++) asm.op(Instruction.VADDPS, v(i), v(i), at(RDI, i));
        return storeChains(asm, loop).code(name("sums"));
    }

    /**
     * Sums of squared differences from a number, in accumulators as {@link #sums}. Arguments: x, iterations (at least
     * 1), sums [UNROLL], the number in memory.
     */
    public Code squares() {
        Assembler asm = new Assembler();
        asm.op(Instruction.VBROADCASTSS, v(8), Address.at(RCX));
        for (int i = 0; i < vectors(); i++) asm.op(Instruction.VXORPS, v(i), v(i), v(i));
        Assembler.Label loop = asm.here("loop");
        for (int i = 0; i < vectors(); i++) {
            asm.op(Instruction.VMOVUPS, v(4 + i), at(RDI, i));
            asm.op(Instruction.VSUBPS, v(4 + i), v(4 + i), v(8));
            asm.op(Instruction.VFMADD231PS, v(i), v(4 + i), v(4 + i));
        }
        return storeChains(asm, loop).code(name("squares"));
    }

    /**
     * y = (x − mean) · inverse · weight + bias, the last two as a fused multiply-add. Arguments: x, y (may alias x),
     * iterations (at least 1), parameters in memory: mean, inverse; weight and bias, one element for each of x.
     */
    public Code norm() {
        Assembler asm = new Assembler();
        for (int i = 0; i < 2; i++) asm.op(Instruction.VBROADCASTSS, v(8 + i), Address.at(RCX, 4 * i));
        Assembler.Label loop = asm.here("loop");
        for (int i = 0; i < vectors(); i++) {
            asm.op(Instruction.VMOVUPS, v(i), at(RDI, i));
            asm.op(Instruction.VSUBPS, v(i), v(i), v(8));
            asm.op(Instruction.VMULPS, v(i), v(i), v(9));
            asm.op(Instruction.VMOVUPS, v(4 + i), at(R8, i));
            asm.op(Instruction.VFMADD213PS, v(i), v(4 + i), at(R9, i));
            asm.op(Instruction.VMOVUPS_STORE, at(RSI, i), v(i));
        }
        return finish(asm, loop, RDX, RDI, RSI, R8, R9).code(name("norm"));
    }

    /** Ends a loop over x, stores the accumulators and returns. */
    private Assembler storeChains(Assembler asm, Assembler.Label loop) {
        asm.add(RDI, BYTES);
        asm.sub(RSI, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, loop);
        for (int i = 0; i < vectors(); i++) asm.op(Instruction.VMOVUPS_STORE, at(RDX, i), v(i));
        asm.vzeroupper();
        asm.ret();
        return asm;
    }

    /** Ends an iteration: advances the pointers and jumps back. */
    static void endLoop(Assembler asm, Assembler.Label loop, Register count, Register... pointers) {
        for (Register pointer : pointers) asm.add(pointer, BYTES);
        asm.sub(count, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, loop);
    }

    /** Ends such a loop and returns. */
    static Assembler finish(Assembler asm, Assembler.Label loop, Register count, Register... pointers) {
        endLoop(asm, loop, count, pointers);
        asm.vzeroupper();
        asm.ret();
        return asm;
    }

    /** Vectors of an iteration. */
    int vectors() {
        return 32 * UNROLL / bits;
    }

    Vector v(int number) {
        return new Vector(number, bits);
    }

    /** The i-th vector of an iteration. */
    Address at(Register pointer, int i) {
        return Address.at(pointer, i * bits / 8);
    }

    private String name(String what) {
        return what + " of rows in vectors of " + bits;
    }
}
