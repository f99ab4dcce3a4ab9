package dev.gyre.machine.kernel;

import static dev.gyre.machine.assembler.Operand.Register.R10;
import static dev.gyre.machine.assembler.Operand.Register.R11;
import static dev.gyre.machine.assembler.Operand.Register.R8;
import static dev.gyre.machine.assembler.Operand.Register.R9;
import static dev.gyre.machine.assembler.Operand.Register.RAX;
import static dev.gyre.machine.assembler.Operand.Register.RBX;
import static dev.gyre.machine.assembler.Operand.Register.RCX;
import static dev.gyre.machine.assembler.Operand.Register.RDI;
import static dev.gyre.machine.assembler.Operand.Register.RDX;
import static dev.gyre.machine.assembler.Operand.Register.RSI;
import static dev.gyre.machine.assembler.Operand.Vector.zmm;

import dev.gyre.machine.assembler.Assembler;
import dev.gyre.machine.assembler.Code;
import dev.gyre.machine.assembler.Instruction;
import dev.gyre.machine.assembler.Operand.Address;
import dev.gyre.machine.assembler.Operand.Mask;
import dev.gyre.machine.assembler.Operand.Register;

/**
 * Rounds floats to bf16 pairs (to nearest even), as {@link GemmKernel} reads them. Nothing is read or written beyond
 * the counts. Both kernels take the arguments
 *
 * <pre>
 *   from        floats
 *   fromStride  bytes from one row of floats to the next
 *   to          pairs
 *   toStride    bytes from one row of pairs to the next
 *   rows        of {@code from}
 *   count       floats in a row of {@code from}
 * </pre>
 */
public final class ToBf16 {
    private ToBf16() {}

    /**
     * Neighbours of a row become pairs: [rows][count] to [rows][⌈count / 2⌉]; an odd last element is paired with zero.
     */
    public static Code alongRows() {
        Assembler asm = new Assembler();
        asm.push(RBX);
        // r10, r11: pointers into the rows; rax: floats left.
        Assembler.Label row = asm.here("row"), tail = asm.label("last"), next = asm.label("next");
        asm.mov(R10, RDI);
        asm.mov(R11, RDX);
        asm.mov(RAX, R9);
        asm.sub(RAX, 32);
        asm.jump(Assembler.Condition.LESS, tail);
        Assembler.Label loop = asm.here("loop");
        asm.op(Instruction.VMOVUPS, zmm(0), Address.at(R10));
        asm.op(Instruction.VMOVUPS, zmm(1), Address.at(R10, 64));
        asm.op(Instruction.VCVTNE2PS2BF16, zmm(0), zmm(1), zmm(0));
        asm.op(Instruction.VMOVUPS_STORE, Address.at(R11), zmm(0));
        asm.add(R10, 128);
        asm.add(R11, 64);
        asm.sub(RAX, 32);
        asm.jump(Assembler.Condition.NOT_LESS, loop);
        asm.bind(tail);
        asm.add(RAX, 32);
        asm.jump(Assembler.Condition.ZERO, next);
        lanes(asm, RBX, RAX);
        asm.op(Instruction.KMOVW, new Mask(1), RBX);
        asm.shr(RBX, 16);
        asm.op(Instruction.KMOVW, new Mask(2), RBX);
        asm.add(RAX, 1);
        asm.shr(RAX, 1);
        lanes(asm, RBX, RAX);
        asm.op(Instruction.KMOVW, new Mask(3), RBX);
        asm.op(Instruction.VMOVUPS, zmm(0).zeroing(1), Address.at(R10));
        asm.op(Instruction.VMOVUPS, zmm(1).zeroing(2), Address.at(R10, 64));
        asm.op(Instruction.VCVTNE2PS2BF16, zmm(0), zmm(1), zmm(0));
        asm.op(Instruction.VMOVUPS_STORE, Address.at(R11).masked(3), zmm(0));
        asm.bind(next);
        asm.add(RDI, RSI);
        asm.add(RDX, RCX);
        asm.sub(R8, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, row);
        asm.vzeroupper();
        asm.pop(RBX);
        asm.ret();
        return asm.code("round to bf16 along rows");
    }

    /** Two rows become one row of pairs: [rows][count] to [⌈rows / 2⌉][count]; an odd last row is paired with zero. */
    public static Code acrossRows() {
        Assembler asm = new Assembler();
        asm.push(RBX);
        Assembler.Label order = asm.label("order");
        asm.lea(RAX, order);
        asm.op(Instruction.VMOVUPS, zmm(31), Address.at(RAX));
        asm.mov(RBX, -1);
        asm.op(Instruction.KMOVW, new Mask(2), RBX); // lanes of the second row that are read
        Assembler.Label row = asm.here("row"), both = asm.label("both");
        asm.cmp(R8, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, both);
        asm.mov(RBX, 0);
        asm.op(Instruction.KMOVW, new Mask(2), RBX);
        asm.bind(both);
        Assembler.Label tail = asm.label("last"), next = asm.label("next"), single = asm.label("single");
        asm.mov(R10, RDI);
        asm.mov(R11, RDX);
        asm.mov(RAX, R9);
        asm.sub(RAX, 16);
        asm.jump(Assembler.Condition.LESS, tail);
        Assembler.Label loop = asm.here("loop");
        asm.op(Instruction.VMOVUPS, zmm(0), Address.at(R10));
        asm.op(Instruction.VMOVUPS, zmm(1).zeroing(2), Address.at(R10, RSI, 1, 0));
        pairs(asm);
        asm.op(Instruction.VMOVUPS_STORE, Address.at(R11), zmm(0));
        asm.add(R10, 64);
        asm.add(R11, 64);
        asm.sub(RAX, 16);
        asm.jump(Assembler.Condition.NOT_LESS, loop);
        asm.bind(tail);
        asm.add(RAX, 16);
        asm.jump(Assembler.Condition.ZERO, next);
        lanes(asm, RBX, RAX);
        asm.op(Instruction.KMOVW, new Mask(1), RBX);
        asm.op(Instruction.VMOVUPS, zmm(0).zeroing(1), Address.at(R10));
        asm.op(Instruction.VPXORD, zmm(1), zmm(1), zmm(1));
        asm.cmp(R8, 1);
        asm.jump(Assembler.Condition.ZERO, single);
        asm.op(Instruction.VMOVUPS, zmm(1).zeroing(1), Address.at(R10, RSI, 1, 0));
        asm.bind(single);
        pairs(asm);
        asm.op(Instruction.VMOVUPS_STORE, Address.at(R11).masked(1), zmm(0));
        asm.bind(next);
        asm.lea(RDI, Address.at(RDI, RSI, 2, 0));
        asm.add(RDX, RCX);
        asm.sub(R8, 2);
        asm.jump(Assembler.Condition.ABOVE_ZERO, row);
        asm.vzeroupper();
        asm.pop(RBX);
        asm.ret();
        asm.bind(order);
        for (int lane = 0; lane < 16; lane++) asm.ints(lane | 16 + lane << 16);
        return asm.code("round to bf16 across rows");
    }

    /** The elements of zmm0 and zmm1, rounded and interleaved, in zmm0. */
    private static void pairs(Assembler asm) {
        asm.op(Instruction.VCVTNE2PS2BF16, zmm(0), zmm(1), zmm(0));
        asm.op(Instruction.VPERMW, zmm(0), zmm(31), zmm(0));
    }

    /** Sets the lowest {@code count} bits, at most 31. */
    private static void lanes(Assembler asm, Register to, Register count) {
        asm.mov(to, -1);
        asm.op(Instruction.BZHI, to, to, count);
    }
}
