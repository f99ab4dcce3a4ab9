package dev.gyre.machine;

import static dev.gyre.machine.Operand.Register.RDI;
import static dev.gyre.machine.Operand.Register.RDX;
import static dev.gyre.machine.Operand.Register.RSI;
import static dev.gyre.machine.Operand.Vector.ymm;

import dev.gyre.machine.Operand.Address;
import dev.gyre.machine.Operand.Immediate;

/**
 * 16-bit numbers to floats, exactly. Both codes have the arguments: from, to, rounds of {@value Rows#ROUND} numbers (at least 1).
 * What the processor must know: {@link Feature#AVX2}; wider vectors would wait for memory all the same.
 */
public final class Widening {
    private static final int LANES = 8;

    private Widening() {}

    /** F16 (IEEE 754's binary16). */
    public static Code f16() {
        Assembler asm = new Assembler();
        Assembler.Label round = asm.here("round");
        for (int i = 0; i < Rows.ROUND / LANES; i++)
            asm.op(Instruction.VCVTPH2PS, ymm(i), Address.at(RDI, i * LANES * Short.BYTES));
        return rounds(asm, round).code("widening of F16");
    }

    /** BF16, a float's upper half. */
    public static Code bf16() {
        Assembler asm = new Assembler();
        Assembler.Label round = asm.here("round");
        for (int i = 0; i < Rows.ROUND / LANES; i++) {
            asm.op(Instruction.VPMOVZXWD, ymm(i), Address.at(RDI, i * LANES * Short.BYTES));
            asm.op(Instruction.VPSLLD, ymm(i), ymm(i), new Immediate(16));
        }
        return rounds(asm, round).code("widening of BF16");
    }

    private static Assembler rounds(Assembler asm, Assembler.Label round) {
        for (int i = 0; i < Rows.ROUND / LANES; i++)
            asm.op(Instruction.VMOVUPS_STORE, Address.at(RSI, i * LANES * Float.BYTES), ymm(i));
        asm.add(RDI, Rows.ROUND * Short.BYTES);
        asm.add(RSI, Rows.ROUND * Float.BYTES);
        asm.sub(RDX, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, round);
        asm.vzeroupper();
        asm.ret();
        return asm;
    }
}
