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
 * Floats rounded to bf16 (to nearest even) in pairs, as {@link GemmKernel} reads them. Nothing is read or written beyond the counts.
 * Both codes have the arguments
 *
 * <pre>
 *   from      floats
 *   distance  bytes from one row of them to the next
 *   to        pairs
 *   apart     bytes from one row of pairs to the next
 *   rows      of {@code from}
 *   count     floats in a row of {@code from}
 * </pre>
 */
public final class ToBf16 {
    private ToBf16() {}

    /** Neighbours of a row become pairs: [rows][count] to [rows][⌈count / 2⌉]; an odd one's partner is zero. */
    public static Code alongRows() {
        Assembler asm = new Assembler();
        asm.push(RBX);
        // r10, r11: places in the row; rax: floats left.
        Assembler.Label row = asm.here("row"), last = asm.label("last"), next = asm.label("next");
        asm.mov(R10, RDI);
        asm.mov(R11, RDX);
        asm.mov(RAX, R9);
        asm.sub(RAX, 32);
        asm.jump(Assembler.Condition.LESS, last);
        Assembler.Label round = asm.here("round");
        asm.op(Instruction.VMOVUPS, zmm(0), Address.at(R10));
        asm.op(Instruction.VMOVUPS, zmm(1), Address.at(R10, 64));
        asm.op(Instruction.VCVTNE2PS2BF16, zmm(0), zmm(1), zmm(0));
        asm.op(Instruction.VMOVUPS_STORE, Address.at(R11), zmm(0));
        asm.add(R10, 128);
        asm.add(R11, 64);
        asm.sub(RAX, 32);
        asm.jump(Assembler.Condition.NOT_LESS, round);
        asm.bind(last);
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
        return asm.code("rounding of rows");
    }

    /** Two rows become one of pairs: [rows][count] to [⌈rows / 2⌉][count]; an odd row's partner is zero. */
    public static Code acrossRows() {
        Assembler asm = new Assembler();
        asm.push(RBX);
        Assembler.Label order = asm.label("order");
        asm.lea(RAX, order);
        asm.op(Instruction.VMOVUPS, zmm(31), Address.at(RAX));
        asm.mov(RBX, -1);
        asm.op(Instruction.KMOVW, new Mask(2), RBX); // lanes that are read of the second row
        Assembler.Label row = asm.here("row"), whole = asm.label("whole");
        asm.cmp(R8, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, whole);
        asm.mov(RBX, 0);
        asm.op(Instruction.KMOVW, new Mask(2), RBX);
        asm.bind(whole);
        Assembler.Label last = asm.label("last"), next = asm.label("next"), even = asm.label("even");
        asm.mov(R10, RDI);
        asm.mov(R11, RDX);
        asm.mov(RAX, R9);
        asm.sub(RAX, 16);
        asm.jump(Assembler.Condition.LESS, last);
        Assembler.Label round = asm.here("round");
        asm.op(Instruction.VMOVUPS, zmm(0), Address.at(R10));
        asm.op(Instruction.VMOVUPS, zmm(1).zeroing(2), Address.at(R10, RSI, 1, 0));
        pairs(asm);
        asm.op(Instruction.VMOVUPS_STORE, Address.at(R11), zmm(0));
        asm.add(R10, 64);
        asm.add(R11, 64);
        asm.sub(RAX, 16);
        asm.jump(Assembler.Condition.NOT_LESS, round);
        asm.bind(last);
        asm.add(RAX, 16);
        asm.jump(Assembler.Condition.ZERO, next);
        lanes(asm, RBX, RAX);
        asm.op(Instruction.KMOVW, new Mask(1), RBX);
        asm.op(Instruction.VMOVUPS, zmm(0).zeroing(1), Address.at(R10));
        asm.op(Instruction.VPXORD, zmm(1), zmm(1), zmm(1));
        asm.cmp(R8, 1);
        asm.jump(Assembler.Condition.ZERO, even);
        asm.op(Instruction.VMOVUPS, zmm(1).zeroing(1), Address.at(R10, RSI, 1, 0));
        asm.bind(even);
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
        return asm.code("rounding of two rows");
    }

    /** zmm0's and zmm1's numbers, rounded, by turns in zmm0. */
    private static void pairs(Assembler asm) {
        asm.op(Instruction.VCVTNE2PS2BF16, zmm(0), zmm(1), zmm(0));
        asm.op(Instruction.VPERMW, zmm(0), zmm(31), zmm(0));
    }

    /** As many of the lowest bits as {@code count} says, at most 31. */
    private static void lanes(Assembler asm, Register to, Register count) {
        asm.mov(to, -1);
        asm.op(Instruction.BZHI, to, to, count);
    }
}
