package dev.gyre.machine.kernel;

import static dev.gyre.machine.assembler.Operand.Register.R10;
import static dev.gyre.machine.assembler.Operand.Register.R11;
import static dev.gyre.machine.assembler.Operand.Register.R8;
import static dev.gyre.machine.assembler.Operand.Register.RAX;
import static dev.gyre.machine.assembler.Operand.Register.RCX;
import static dev.gyre.machine.assembler.Operand.Register.RDI;
import static dev.gyre.machine.assembler.Operand.Register.RDX;
import static dev.gyre.machine.assembler.Operand.Register.RSI;
import static dev.gyre.machine.assembler.Operand.Vector.zmm;

import dev.gyre.machine.assembler.Assembler;
import dev.gyre.machine.assembler.Code;
import dev.gyre.machine.assembler.Instruction;
import dev.gyre.machine.assembler.Operand.Address;
import dev.gyre.machine.assembler.Operand.Immediate;
import dev.gyre.machine.assembler.Operand.Vector;

/**
 * 2 to the x, for results that are rounded to bf16: x = n + r with |r| ≤ ½, a polynomial of degree 4 in r, a scale by
 * 2ⁿ.
 *
 * @param min arguments are clamped to at least this
 * @param polynomial coefficients from r⁴ down to 1
 */
public record Exp2Kernels(float min, float... polynomial) {
    private static final int DEGREE = 4;
    private static final Vector MIN = zmm(16), ORDER = zmm(31);

    /**
     * {@link ExpKernels#softmax} with base 2, on AVX512-BF16, with the same arguments: [rows][32] scores become [⌈rows
     * / 2⌉][32] bf16 pairs, two rows' in one; an odd last row is paired with zero. Totals are sums of floats, before
     * rounding.
     */
    public Code softmax() {
        Assembler asm = new Assembler();
        Assembler.Label table = asm.label("constants");
        asm.lea(RAX, table);
        for (int i = 0; i <= 1 + DEGREE; i++) asm.op(Instruction.VBROADCASTSS, zmm(16 + i), Address.at(RAX, 4 * i));
        asm.op(Instruction.VMOVUPS, ORDER, Address.at(RAX, 4 * (2 + DEGREE)));

        for (int i = 0; i < 2; i++) asm.op(Instruction.VMOVUPS, zmm(i), Address.at(RSI, 64 * i));
        asm.mov(R10, RDI);
        asm.mov(R11, R8);
        Assembler.Label max = asm.here("max");
        for (int i = 0; i < 2; i++) {
            asm.op(Instruction.VMOVUPS, zmm(2 + i), Address.at(R10, 64 * i));
            asm.op(Instruction.VMAXPS, zmm(i), zmm(2 + i), zmm(i));
        }
        asm.add(R10, 128);
        asm.sub(R11, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, max);

        // Totals in registers 6 and 7.
        for (int i = 0; i < 2; i++) {
            power(asm, Address.at(RSI, 64 * i), i, zmm(4));
            asm.op(Instruction.VMOVUPS_STORE, Address.at(RSI, 64 * i), zmm(i));
            asm.op(Instruction.VMOVUPS_STORE, Address.at(RCX, 64 * i), zmm(4));
            asm.op(Instruction.VMULPS, zmm(6 + i), zmm(4), Address.at(RDX, 64 * i));
        }

        asm.mov(R10, RDI);
        Assembler.Label two = asm.here("two"), alone = asm.label("alone"), done = asm.label("done");
        asm.sub(R8, 1);
        asm.jump(Assembler.Condition.ZERO, alone);
        for (int i = 0; i < 2; i++) {
            power(asm, Address.at(RDI, 64 * i), i, zmm(8 + 2 * i));
            power(asm, Address.at(RDI, 128 + 64 * i), i, zmm(9 + 2 * i));
        }
        for (int i = 0; i < 2; i++) {
            asm.op(Instruction.VADDPS, zmm(6 + i), zmm(6 + i), zmm(8 + 2 * i));
            asm.op(Instruction.VADDPS, zmm(6 + i), zmm(6 + i), zmm(9 + 2 * i));
            pairs(asm, i);
        }
        asm.add(RDI, 256);
        asm.add(R10, 128);
        asm.sub(R8, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, two);
        asm.jump(done);
        asm.bind(alone);
        for (int i = 0; i < 2; i++) {
            power(asm, Address.at(RDI, 64 * i), i, zmm(8 + 2 * i));
            asm.op(Instruction.VADDPS, zmm(6 + i), zmm(6 + i), zmm(8 + 2 * i));
            asm.op(Instruction.VPXORD, zmm(9 + 2 * i), zmm(9 + 2 * i), zmm(9 + 2 * i));
            pairs(asm, i);
        }
        asm.bind(done);
        for (int i = 0; i < 2; i++) asm.op(Instruction.VMOVUPS_STORE, Address.at(RDX, 64 * i), zmm(6 + i));
        asm.vzeroupper();
        asm.ret();
        asm.bind(table);
        asm.floats(min);
        asm.floats(polynomial);
        for (int lane = 0; lane < 16; lane++) asm.ints(lane | 16 + lane << 16);
        return asm.code("softmax of panels to bf16 pairs");
    }

    /** to = 2^(from − the maximum of this half of the panel). */
    private static void power(Assembler asm, Address from, int half, Vector to) {
        Vector x = zmm(2), n = zmm(3);
        asm.op(Instruction.VMOVUPS, x, from);
        asm.op(Instruction.VSUBPS, x, x, zmm(half));
        asm.op(Instruction.VMAXPS, x, MIN, x); // NaN stays NaN
        asm.op(Instruction.VRNDSCALEPS, n, x, new Immediate(8)); // to the nearest integer
        asm.op(Instruction.VSUBPS, x, x, n);
        asm.op(Instruction.VMOVUPS, to, zmm(17));
        for (int i = 1; i <= DEGREE; i++) asm.op(Instruction.VFMADD213PS, to, x, zmm(17 + i));
        asm.op(Instruction.VSCALEFPS, to, to, n);
    }

    /** Rounds two rows of this half of the panel to one row of pairs. */
    private static void pairs(Assembler asm, int half) {
        Vector first = zmm(8 + 2 * half), second = zmm(9 + 2 * half);
        asm.op(Instruction.VCVTNE2PS2BF16, first, second, first);
        asm.op(Instruction.VPERMW, first, ORDER, first);
        asm.op(Instruction.VMOVUPS_STORE, Address.at(R10, 64 * half), first);
    }
}
