package dev.gyre.machine.kernel;

import static dev.gyre.machine.assembler.Operand.Register.RDI;
import static dev.gyre.machine.assembler.Operand.Register.RDX;
import static dev.gyre.machine.assembler.Operand.Register.RSI;
import static dev.gyre.machine.assembler.Operand.Vector.ymm;

import dev.gyre.machine.Feature;
import dev.gyre.machine.assembler.Assembler;
import dev.gyre.machine.assembler.Code;
import dev.gyre.machine.assembler.Instruction;
import dev.gyre.machine.assembler.Operand.Address;
import dev.gyre.machine.assembler.Operand.Immediate;

/**
 * 16-bit numbers to floats, exactly. Both codes have the arguments: from, to, rounds of {@value ElementwiseKernels#UNROLL} numbers (at least 1).
 * What the processor must know: {@link Feature#AVX2}; wider vectors would wait for memory all the same.
 */
public final class ToF32 {
    private static final int LANES = 8;

    private ToF32() {}

    /** F16 (IEEE 754's binary16). */
    public static Code f16() {
        Assembler asm = new Assembler();
        Assembler.Label round = asm.here("round");
        for (int i = 0; i < ElementwiseKernels.UNROLL / LANES; i++)
            asm.op(Instruction.VCVTPH2PS, ymm(i), Address.at(RDI, i * LANES * Short.BYTES));
        return finish(asm, round).code("widening of F16");
    }

    /** BF16, a float's upper half. */
    public static Code bf16() {
        Assembler asm = new Assembler();
        Assembler.Label round = asm.here("round");
        for (int i = 0; i < ElementwiseKernels.UNROLL / LANES; i++) {
            asm.op(Instruction.VPMOVZXWD, ymm(i), Address.at(RDI, i * LANES * Short.BYTES));
            asm.op(Instruction.VPSLLD, ymm(i), ymm(i), new Immediate(16));
        }
        return finish(asm, round).code("widening of BF16");
    }

    private static Assembler finish(Assembler asm, Assembler.Label round) {
        for (int i = 0; i < ElementwiseKernels.UNROLL / LANES; i++)
            asm.op(Instruction.VMOVUPS_STORE, Address.at(RSI, i * LANES * Float.BYTES), ymm(i));
        asm.add(RDI, ElementwiseKernels.UNROLL * Short.BYTES);
        asm.add(RSI, ElementwiseKernels.UNROLL * Float.BYTES);
        asm.sub(RDX, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, round);
        asm.vzeroupper();
        asm.ret();
        return asm;
    }
}
