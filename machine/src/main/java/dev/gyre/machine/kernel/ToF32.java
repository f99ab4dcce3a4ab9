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
 * Converts 16-bit elements to floats, exactly. Both kernels take the arguments: from, to, iterations of
 * {@value ElementwiseKernels#UNROLL} elements (at least 1). They require {@link Feature#AVX2}; wider vectors would not
 * help, because memory is the bottleneck.
 */
public final class ToF32 {
    private static final int LANES = 8;

    private ToF32() {}

    /** F16 (IEEE 754 binary16). */
    public static Code f16() {
        Assembler asm = new Assembler();
        Assembler.Label loop = asm.here("loop");
        for (int i = 0; i < ElementwiseKernels.UNROLL / LANES; i++)
            asm.op(Instruction.VCVTPH2PS, ymm(i), Address.at(RDI, i * LANES * Short.BYTES));
        return finish(asm, loop).code("F16 to F32");
    }

    /** BF16, the upper half of a float. */
    public static Code bf16() {
        Assembler asm = new Assembler();
        Assembler.Label loop = asm.here("loop");
        for (int i = 0; i < ElementwiseKernels.UNROLL / LANES; i++) {
            asm.op(Instruction.VPMOVZXWD, ymm(i), Address.at(RDI, i * LANES * Short.BYTES));
            asm.op(Instruction.VPSLLD, ymm(i), ymm(i), new Immediate(16));
        }
        return finish(asm, loop).code("BF16 to F32");
    }

    private static Assembler finish(Assembler asm, Assembler.Label loop) {
        for (int i = 0; i < ElementwiseKernels.UNROLL / LANES; i++)
            asm.op(Instruction.VMOVUPS_STORE, Address.at(RSI, i * LANES * Float.BYTES), ymm(i));
        asm.add(RDI, ElementwiseKernels.UNROLL * Short.BYTES);
        asm.add(RSI, ElementwiseKernels.UNROLL * Float.BYTES);
        asm.sub(RDX, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, loop);
        asm.vzeroupper();
        asm.ret();
        return asm;
    }
}
