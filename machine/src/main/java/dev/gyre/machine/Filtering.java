package dev.gyre.machine;

import static dev.gyre.machine.Operand.Register.R10;
import static dev.gyre.machine.Operand.Register.R11;
import static dev.gyre.machine.Operand.Register.R12;
import static dev.gyre.machine.Operand.Register.R13;
import static dev.gyre.machine.Operand.Register.R14;
import static dev.gyre.machine.Operand.Register.R15;
import static dev.gyre.machine.Operand.Register.R8;
import static dev.gyre.machine.Operand.Register.R9;
import static dev.gyre.machine.Operand.Register.RAX;
import static dev.gyre.machine.Operand.Register.RBP;
import static dev.gyre.machine.Operand.Register.RBX;
import static dev.gyre.machine.Operand.Register.RCX;
import static dev.gyre.machine.Operand.Register.RDI;
import static dev.gyre.machine.Operand.Register.RDX;
import static dev.gyre.machine.Operand.Register.RSI;
import static dev.gyre.machine.Operand.Register.RSP;
import static dev.gyre.machine.Operand.Vector.zmm;

import dev.gyre.machine.Operand.Address;
import dev.gyre.machine.Operand.Register;
import dev.gyre.machine.Operand.Vector;
import java.util.List;

/**
 * The three transforms of Winograd's minimal filtering F(4 × 4, 3 × 3) (Lavin and Gray 2016) with the points 0, ±p, ±q and ∞, in
 * both directions at once. Lanes are tiles of the picture, four neighbours of a line together; vectors of 512 bits.
 *
 * @param p the nearer points
 * @param q the farther
 */
public record Filtering(float p, float q) {
    /** Inputs, and points, of a direction. */
    private static final int SIDE = 6;

    private static final List<Register> SAVED = List.of(RBX, RBP, R12, R13, R14, R15);
    private static final List<Register> GROUPS = List.of(R10, R11, R12, R13);
    private static final int FIRST_CONSTANT = 20;

    // Places of lanes: pairs of neighbours by their order, then one of each.
    private static final Vector PAIRS_LOW = zmm(28), PAIRS_HIGH = zmm(29), EVEN = zmm(30), ODD = zmm(31);

    /**
     * Tiles of one channel to points. Arguments:
     *
     * <pre>
     *   from    the channel, with its padding
     *   groups  [vectors][4] longs: at how many bytes from {@code from} each four neighbouring tiles begin; 20 floats of 6 lines are read
     *   to      points of the channel: [strips][36] places of 32 tiles
     *   point   bytes from one point to the next
     *   strip   bytes from one strip to the next
     *   vectors of 16 tiles, at least 1: two are a strip
     *   pitch   bytes from one line to the next
     * </pre>
     */
    public Code input() {
        Assembler asm = new Assembler();
        SAVED.forEach(asm::push);
        int seventh = 8 * SAVED.size() + 8;
        asm.mov(RAX, Address.at(RSP, seventh)); // pitch
        Assembler.Label table = asm.label("constants");
        asm.lea(RBX, table);
        constants(asm, RBX, 6, true);
        asm.sub(RSP, SIDE * SIDE * 64);
        asm.mov(RBP, 64);
        asm.mov(R15, R8);
        asm.sub(R15, 64);
        asm.lea(R14, Address.at(RCX, RCX, 2, 0));
        asm.shl(R14, 1); // six points
        Assembler.Label vector = asm.here("vector");
        for (int i = 0; i < 4; i++) {
            asm.mov(GROUPS.get(i), Address.at(RSI, 8 * i));
            asm.add(GROUPS.get(i), RDI);
        }
        for (int a = 0; a < SIDE; a++) {
            deinterleave(asm);
            inputs(asm);
            for (int b = 0; b < SIDE; b++)
                asm.op(Instruction.VMOVUPS_STORE, Address.at(RSP, (a * SIDE + b) * 64), zmm(8 + b));
            if (a < SIDE - 1) GROUPS.forEach(group -> asm.add(group, RAX));
        }
        asm.mov(R8, RDX);
        for (int b = 0; b < SIDE; b++) {
            for (int a = 0; a < SIDE; a++) asm.op(Instruction.VMOVUPS, zmm(a), Address.at(RSP, (a * SIDE + b) * 64));
            inputs(asm);
            asm.mov(RBX, R8);
            for (int a = 0; a < SIDE; a++) {
                asm.op(Instruction.VMOVUPS_STORE, Address.at(RBX), zmm(8 + a));
                if (a < SIDE - 1) asm.add(RBX, R14);
            }
            asm.add(R8, RCX);
        }
        asm.add(RSI, 32);
        asm.add(RDX, RBP); // the other half of the strip, or the next
        asm.mov(RBX, RBP);
        asm.mov(RBP, R15);
        asm.mov(R15, RBX);
        asm.sub(R9, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, vector);
        asm.add(RSP, SIDE * SIDE * 64);
        end(asm);
        asm.bind(table);
        float p2 = p * p, q2 = q * q;
        asm.floats(-q2, p, -p2, q, p2 * q2, -p2 - q2);
        places(asm);
        return asm.code("filtering, input");
    }

    /** Registers 0 to 5: what the six columns of 16 tiles read of a line. */
    private static void deinterleave(Assembler asm) {
        for (int i = 0; i < 4; i++) {
            asm.op(Instruction.VMOVUPS, zmm(6 + i), Address.at(GROUPS.get(i)));
            asm.op(Instruction.VMOVUPS, zmm(10 + i), Address.at(GROUPS.get(i), 16));
        }
        for (int i = 0; i < 2; i++) {
            // Columns 0 and 1 of eight tiles to 14 + i, 2 and 3 to 6 + 2i; 4 and 5 to 10 + 2i.
            Vector first = zmm(6 + 2 * i), second = zmm(7 + 2 * i), low = zmm(14 + i);
            asm.op(Instruction.VMOVUPS, low, first);
            asm.op(Instruction.VPERMT2PD, low, PAIRS_LOW, second);
            asm.op(Instruction.VPERMT2PD, first, PAIRS_HIGH, second);
            asm.op(Instruction.VPERMT2PD, zmm(10 + 2 * i), PAIRS_LOW, zmm(11 + 2 * i));
        }
        int[] left = {14, 6, 10}, right = {15, 8, 12};
        for (int i = 0; i < 3; i++) {
            asm.op(Instruction.VMOVUPS, zmm(2 * i), zmm(left[i]));
            asm.op(Instruction.VPERMT2PS, zmm(2 * i), EVEN, zmm(right[i]));
            asm.op(Instruction.VMOVUPS, zmm(2 * i + 1), zmm(left[i]));
            asm.op(Instruction.VPERMT2PS, zmm(2 * i + 1), ODD, zmm(right[i]));
        }
    }

    /** Bᵀ: registers 0 to 5 to registers 8 to 13. */
    private static void inputs(Assembler asm) {
        Vector a = zmm(0), b = zmm(1), c = zmm(2), d = zmm(3), e = zmm(4), f = zmm(5);
        Vector even = zmm(14), odd = zmm(15);
        for (int i = 0; i < 2; i++) {
            fma(asm, even, constant(2 * i), c, e);
            fma(asm, odd, constant(2 * i), b, d);
            asm.op(Instruction.VMULPS, odd, odd, constant(2 * i + 1));
            asm.op(Instruction.VADDPS, zmm(9 + 2 * i), even, odd);
            asm.op(Instruction.VSUBPS, zmm(10 + 2 * i), even, odd);
        }
        fma(asm, zmm(8), constant(5), c, e);
        asm.op(Instruction.VFMADD231PS, zmm(8), a, constant(4));
        fma(asm, zmm(13), constant(5), d, f);
        asm.op(Instruction.VFMADD231PS, zmm(13), b, constant(4));
    }

    /**
     * Taps to points, element by element. Arguments:
     *
     * <pre>
     *   from    [9] places of elements: the taps
     *   tap     bytes from one tap to the next
     *   to      [36] places of elements
     *   point   bytes from one point to the next
     *   count   of vectors of 16 elements, at least 1
     * </pre>
     */
    public Code weights() {
        Assembler asm = new Assembler();
        SAVED.forEach(asm::push);
        Assembler.Label table = asm.label("constants");
        asm.lea(RBX, table);
        constants(asm, RBX, 7, false);
        Assembler.Label vector = asm.here("vector");
        asm.mov(R10, RDI);
        for (int tap = 0; tap < 9; tap++) {
            asm.op(Instruction.VMOVUPS, zmm(tap), Address.at(R10));
            if (tap < 8) asm.add(R10, RSI);
        }
        // Down: taps (0, v), (1, v), (2, v) to points (a, v), which wait on the stack below.
        asm.sub(RSP, 18 * 64);
        for (int v = 0; v < 3; v++) {
            taps(asm, zmm(v), zmm(3 + v), zmm(6 + v));
            for (int a = 0; a < SIDE; a++)
                asm.op(Instruction.VMOVUPS_STORE, Address.at(RSP, (a * 3 + v) * 64), zmm(9 + a));
        }
        asm.mov(R11, RDX);
        for (int a = 0; a < SIDE; a++) {
            for (int v = 0; v < 3; v++) asm.op(Instruction.VMOVUPS, zmm(v), Address.at(RSP, (a * 3 + v) * 64));
            taps(asm, zmm(0), zmm(1), zmm(2));
            for (int b = 0; b < SIDE; b++) {
                asm.op(Instruction.VMOVUPS_STORE, Address.at(R11), zmm(9 + b));
                asm.add(R11, RCX);
            }
        }
        asm.add(RSP, 18 * 64);
        asm.add(RDI, 64);
        asm.add(RDX, 64);
        asm.sub(R8, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, vector);
        end(asm);
        asm.bind(table);
        float p2 = p * p, q2 = q * q;
        float near = 1 / (2 * p2 * (p2 - q2)), far = 1 / (2 * q2 * (q2 - p2)), zero = 1 / (p2 * q2);
        asm.floats(p2, near, near * p, q2, far, far * q, zero);
        return asm.code("filtering, weights");
    }

    /** G: three taps to registers 9 to 14. */
    private static void taps(Assembler asm, Vector a, Vector b, Vector c) {
        Vector even = zmm(15), odd = zmm(16);
        for (int i = 0; i < 2; i++) {
            fma(asm, even, constant(3 * i), c, a);
            asm.op(Instruction.VMULPS, even, even, constant(3 * i + 1));
            asm.op(Instruction.VMULPS, odd, b, constant(3 * i + 2));
            asm.op(Instruction.VADDPS, zmm(10 + 2 * i), even, odd);
            asm.op(Instruction.VSUBPS, zmm(11 + 2 * i), even, odd);
        }
        asm.op(Instruction.VMULPS, zmm(9), a, constant(6));
        asm.op(Instruction.VMOVUPS, zmm(14), c);
    }

    /**
     * Points' sums to outputs, with a bias, where the tiles lie in the picture. Arguments:
     *
     * <pre>
     *   from    sums: [36] places of [rows][32]
     *   groups  [4] longs: at how many bytes from {@code to} each four neighbouring tiles begin; 16 floats of 4 lines are written
     *   to      where the first row's channel begins
     *   point   bytes from one point to the next
     *   rows    at least 1
     *   channel bytes from one row's channel to the next
     *   bias    [rows] floats
     *   pitch   bytes from one line to the next
     * </pre>
     */
    public Code output() {
        Assembler asm = new Assembler();
        SAVED.forEach(asm::push);
        int seventh = 8 * SAVED.size() + 8;
        Assembler.Label table = asm.label("constants");
        asm.lea(RBX, table);
        constants(asm, RBX, 6, true);
        for (int i = 0; i < 4; i++) {
            asm.mov(GROUPS.get(i), Address.at(RSI, 8 * i));
            asm.add(GROUPS.get(i), RDX);
        }
        asm.mov(RSI, Address.at(RSP, seventh)); // bias
        asm.mov(RAX, Address.at(RSP, seventh + 8)); // pitch
        asm.lea(RBX, Address.at(RAX, RAX, 2, 0));
        asm.lea(R15, Address.at(RCX, RCX, 2, 0));
        asm.shl(R15, 1); // six points
        asm.sub(RSP, 4 * SIDE * 64);
        Assembler.Label row = asm.here("row");
        asm.mov(R14, RDI);
        for (int b = 0; b < SIDE; b++) {
            asm.lea(RBP, Address.at(R14, R15, 2, 0));
            asm.add(RBP, R15);
            for (int a = 0; a < SIDE; a++) {
                Register base = a < 3 ? R14 : RBP;
                asm.op(Instruction.VMOVUPS, zmm(a), a % 3 == 0 ? Address.at(base) : Address.at(base, R15, a % 3, 0));
            }
            outputs(asm);
            for (int a = 0; a < 4; a++)
                asm.op(Instruction.VMOVUPS_STORE, Address.at(RSP, (a * SIDE + b) * 64), zmm(8 + a));
            asm.add(R14, RCX);
        }
        asm.op(Instruction.VBROADCASTSS, zmm(16), Address.at(RSI));
        for (int a = 0; a < 4; a++) {
            for (int b = 0; b < SIDE; b++) asm.op(Instruction.VMOVUPS, zmm(b), Address.at(RSP, (a * SIDE + b) * 64));
            outputs(asm);
            for (int b = 0; b < 4; b++) asm.op(Instruction.VADDPS, zmm(8 + b), zmm(8 + b), zmm(16));
            interleave(asm);
            for (int i = 0; i < 4; i++) {
                Register group = GROUPS.get(i);
                Address at = a == 0
                        ? Address.at(group)
                        : a == 3 ? Address.at(group, RBX, 1, 0) : Address.at(group, RAX, a, 0);
                asm.op(Instruction.VMOVUPS_STORE, at, zmm(i));
            }
        }
        asm.add(RSI, 4);
        asm.add(RDI, 128);
        GROUPS.forEach(group -> asm.add(group, R9));
        asm.sub(R8, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, row);
        asm.add(RSP, 4 * SIDE * 64);
        end(asm);
        asm.bind(table);
        float p2 = p * p, q2 = q * q;
        asm.floats(p, q, p2, q2, p * p2, q * q2);
        for (int i = 0; i < 4; i++) {
            // Pairs of tiles 8i …: lane 2j from the target, lane 2j + 1 from the source; then pairs of those.
            int[] lanes = new int[16];
            for (int j = 0; j < 8; j++)
                if (i < 2) {
                    lanes[2 * j] = 8 * i + j;
                    lanes[2 * j + 1] = 16 + 8 * i + j;
                } else {
                    lanes[2 * j] = 4 * (i - 2) + j / 2 + j % 2 * 8; // a 64-bit lane's number, and its upper half 0
                    lanes[2 * j + 1] = 0;
                }
            asm.ints(lanes);
        }
        return asm.code("filtering, output");
    }

    /** Aᵀ: registers 0 to 5 to registers 8 to 11. */
    private static void outputs(Assembler asm) {
        Vector evenP = zmm(12), oddP = zmm(13), evenQ = zmm(14), oddQ = zmm(15);
        asm.op(Instruction.VADDPS, evenP, zmm(1), zmm(2));
        asm.op(Instruction.VSUBPS, oddP, zmm(1), zmm(2));
        asm.op(Instruction.VADDPS, evenQ, zmm(3), zmm(4));
        asm.op(Instruction.VSUBPS, oddQ, zmm(3), zmm(4));
        asm.op(Instruction.VADDPS, zmm(8), zmm(0), evenP);
        asm.op(Instruction.VADDPS, zmm(8), zmm(8), evenQ);
        asm.op(Instruction.VMULPS, zmm(9), oddQ, constant(1));
        asm.op(Instruction.VFMADD231PS, zmm(9), oddP, constant(0));
        asm.op(Instruction.VMULPS, zmm(10), evenQ, constant(3));
        asm.op(Instruction.VFMADD231PS, zmm(10), evenP, constant(2));
        fma(asm, zmm(11), constant(5), oddQ, zmm(5));
        asm.op(Instruction.VFMADD231PS, zmm(11), oddP, constant(4));
    }

    /** Registers 8 to 11, a column of 16 tiles each, to registers 0 to 3, a line of four tiles each. */
    private static void interleave(Assembler asm) {
        for (int half = 0; half < 2; half++) // columns 0 and 1, then 2 and 3
        for (int i = 0; i < 2; i++) { // tiles 0 to 7, then 8 to 15
                Vector to = zmm(4 + 2 * half + i);
                asm.op(Instruction.VMOVUPS, to, zmm(8 + 2 * half));
                asm.op(Instruction.VPERMT2PS, to, zmm(28 + i), zmm(9 + 2 * half));
            }
        for (int i = 0; i < 4; i++) {
            asm.op(Instruction.VMOVUPS, zmm(i), zmm(4 + i / 2));
            asm.op(Instruction.VPERMT2PD, zmm(i), zmm(30 + i % 2), zmm(6 + i / 2));
        }
    }

    /** to = factor · v + more. */
    private static void fma(Assembler asm, Vector to, Vector factor, Vector v, Vector more) {
        asm.op(Instruction.VMOVUPS, to, more);
        asm.op(Instruction.VFMADD231PS, to, v, factor);
    }

    private static Vector constant(int i) {
        return zmm(FIRST_CONSTANT + i);
    }

    private static void constants(Assembler asm, Register table, int count, boolean lanes) {
        for (int i = 0; i < count; i++) asm.op(Instruction.VBROADCASTSS, constant(i), Address.at(table, 4 * i));
        if (lanes)
            for (int i = 0; i < 4; i++) asm.op(Instruction.VMOVUPS, zmm(28 + i), Address.at(table, 4 * count + 64 * i));
    }

    /** For {@link #deinterleave}. */
    private static void places(Assembler asm) {
        for (int i = 0; i < 2; i++) for (int lane = 0; lane < 8; lane++) asm.ints(2 * lane + i, 0);
        for (int i = 0; i < 2; i++) for (int lane = 0; lane < 16; lane++) asm.ints(2 * lane + i);
    }

    private static void end(Assembler asm) {
        asm.vzeroupper();
        for (int i = SAVED.size() - 1; i >= 0; i--) asm.pop(SAVED.get(i));
        asm.ret();
    }
}
