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

import dev.gyre.machine.assembler.Assembler;
import dev.gyre.machine.assembler.Code;
import dev.gyre.machine.assembler.Constants;
import dev.gyre.machine.assembler.Instruction;
import dev.gyre.machine.assembler.Operand;
import dev.gyre.machine.assembler.Operand.Address;
import dev.gyre.machine.assembler.Operand.Register;
import dev.gyre.machine.assembler.Operand.Vector;
import java.util.List;

/**
 * The three transforms of Winograd's minimal filtering F(4 × 4, 3 × 3) (Lavin and Gray 2016) with the points 0, ±p, ±q
 * and ∞, along both dimensions at once. Vector lanes are tiles, four neighbours of a row (a quad) together; a panel is
 * two vectors wide. Every element is computed by the same operations whatever the vector width.
 *
 * @param p the nearer points
 * @param q the farther points
 * @param bits vector width, 256 or 512
 */
public record WinogradKernel(float p, float q, int bits) {
    /** Inputs, and points, along one dimension. */
    private static final int SIDE = 6;

    private static final List<Register> SAVED = List.of(RBX, RBP, R12, R13, R14, R15);
    private static final int STACK_ARGUMENTS =
            8 * SAVED.size() + 8; // the seventh argument's offset when those are pushed

    /**
     * Transforms the tiles of one channel to points. Arguments:
     *
     * <pre>
     *   from     the channel, with its padding
     *   quads    [vectors][bits / 128] longs: the offset in bytes of each quad from {@code from}; 20 floats of 6 rows are read
     *   to       points of the channel: [panels][36] vectors of bits / 16 tiles
     *   point    bytes from one point to the next
     *   panel    bytes from one panel to the next
     *   vectors  at least 1
     *   pitch    bytes from one row to the next
     * </pre>
     */
    public Code input() {
        Assembler asm = new Assembler();
        SAVED.forEach(asm::push);
        asm.mov(RAX, Address.at(RSP, STACK_ARGUMENTS)); // pitch
        Assembler.Label table = asm.label("constants");
        float p2 = p * p, q2 = q * q;
        Constants constants = constants(-q2, p, -p2, q, p2 * q2, -p2 - q2);
        LaneShuffles shuffles = LaneShuffles.of(bits);
        constants.load(asm, table);
        shuffles.load(asm, constants.base(), 4 * constants.values().length);
        reserve(asm, SIDE * SIDE);
        asm.mov(RBP, bytes());
        asm.mov(R15, R8);
        asm.sub(R15, bytes());
        asm.lea(R14, Address.at(RCX, RCX, 2, 0));
        asm.shl(R14, 1); // six points
        Assembler.Label vector = asm.here("vector");
        for (int i = 0; i < quads().size(); i++) {
            asm.mov(quads().get(i), Address.at(RSI, 8 * i));
            asm.add(quads().get(i), RDI);
        }
        for (int a = 0; a < SIDE; a++) {
            shuffles.deinterleave(asm, quads());
            inputs(asm, constants);
            for (int b = 0; b < SIDE; b++) asm.op(Instruction.VMOVUPS_STORE, spillSlot(a * SIDE + b), v(8 + b));
            if (a < SIDE - 1) quads().forEach(quad -> asm.add(quad, RAX));
        }
        asm.mov(R8, RDX);
        for (int b = 0; b < SIDE; b++) {
            for (int a = 0; a < SIDE; a++) asm.op(Instruction.VMOVUPS, v(a), spillSlot(a * SIDE + b));
            inputs(asm, constants);
            asm.mov(RBX, R8);
            for (int a = 0; a < SIDE; a++) {
                asm.op(Instruction.VMOVUPS_STORE, Address.at(RBX), v(8 + a));
                if (a < SIDE - 1) asm.add(RBX, R14);
            }
            asm.add(R8, RCX);
        }
        asm.add(RSI, 8 * quads().size());
        asm.add(RDX, RBP); // the other half of the panel, or the next panel
        asm.mov(RBX, RBP);
        asm.mov(RBP, R15);
        asm.mov(R15, RBX);
        asm.sub(R9, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, vector);
        end(asm, SIDE * SIDE);
        asm.bind(table);
        constants.write(asm);
        asm.ints(shuffles.deinterleaveIndices());
        return asm.code("Winograd input in vectors of " + bits);
    }

    /** Bᵀ: from registers 0 to 5 to registers 8 to 13. */
    private void inputs(Assembler asm, Constants constants) {
        Vector a = v(0), b = v(1), c = v(2), d = v(3), e = v(4), f = v(5);
        Vector even = v(14), odd = v(15);
        for (int i = 0; i < 2; i++) {
            fma(asm, even, constants.at(2 * i), c, e);
            fma(asm, odd, constants.at(2 * i), b, d);
            asm.op(Instruction.VMULPS, odd, odd, constants.at(2 * i + 1));
            asm.op(Instruction.VADDPS, v(9 + 2 * i), even, odd);
            asm.op(Instruction.VSUBPS, v(10 + 2 * i), even, odd);
        }
        fma(asm, v(8), constants.at(5), c, e);
        asm.op(Instruction.VFMADD231PS, v(8), a, constants.at(4));
        fma(asm, v(13), constants.at(5), d, f);
        asm.op(Instruction.VFMADD231PS, v(13), b, constants.at(4));
    }

    /**
     * Transforms taps to points, element by element. Arguments:
     *
     * <pre>
     *   from   [9] rows of elements: the taps
     *   tap    bytes from one tap to the next
     *   to     [36] rows of elements
     *   point  bytes from one point to the next
     *   count  vectors of elements, at least 1
     * </pre>
     */
    public Code weights() {
        Assembler asm = new Assembler();
        SAVED.forEach(asm::push);
        Assembler.Label table = asm.label("constants");
        float p2 = p * p, q2 = q * q;
        float near = 1 / (2 * p2 * (p2 - q2)), far = 1 / (2 * q2 * (q2 - p2)), zero = 1 / (p2 * q2);
        Constants constants = constants(p2, near, near * p, q2, far, far * q, zero);
        constants.load(asm, table);
        reserve(asm, 3 * SIDE);
        asm.lea(R11, Address.at(RSI, RSI, 2, 0)); // three taps
        Assembler.Label vector = asm.here("vector");
        // Vertically: taps (0, t), (1, t), (2, t) to points (a, t), which are spilled.
        asm.mov(R10, RDI);
        for (int t = 0; t < 3; t++) {
            asm.op(Instruction.VMOVUPS, v(0), Address.at(R10));
            for (int u = 1; u < 3; u++) asm.op(Instruction.VMOVUPS, v(u), Address.at(R10, R11, u, 0));
            taps(asm, constants);
            for (int a = 0; a < SIDE; a++) asm.op(Instruction.VMOVUPS_STORE, spillSlot(a * 3 + t), v(8 + a));
            if (t < 2) asm.add(R10, RSI);
        }
        asm.mov(R10, RDX);
        for (int a = 0; a < SIDE; a++) {
            for (int t = 0; t < 3; t++) asm.op(Instruction.VMOVUPS, v(t), spillSlot(a * 3 + t));
            taps(asm, constants);
            for (int b = 0; b < SIDE; b++) {
                asm.op(Instruction.VMOVUPS_STORE, Address.at(R10), v(8 + b));
                asm.add(R10, RCX);
            }
        }
        asm.add(RDI, bytes());
        asm.add(RDX, bytes());
        asm.sub(R8, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, vector);
        end(asm, 3 * SIDE);
        asm.bind(table);
        constants.write(asm);
        return asm.code("Winograd weights in vectors of " + bits);
    }

    /** G: from registers 0 to 2 to registers 8 to 13. */
    private void taps(Assembler asm, Constants constants) {
        Vector a = v(0), b = v(1), c = v(2), even = v(14), odd = v(15);
        for (int i = 0; i < 2; i++) {
            fma(asm, even, constants.at(3 * i), c, a);
            asm.op(Instruction.VMULPS, even, even, constants.at(3 * i + 1));
            asm.op(Instruction.VMULPS, odd, b, constants.at(3 * i + 2));
            asm.op(Instruction.VADDPS, v(9 + 2 * i), even, odd);
            asm.op(Instruction.VSUBPS, v(10 + 2 * i), even, odd);
        }
        asm.op(Instruction.VMULPS, v(8), a, constants.at(6));
        asm.op(Instruction.VMOVUPS, v(13), c);
    }

    /**
     * Transforms the points' sums to outputs, adds a bias and stores them in the image. Arguments:
     *
     * <pre>
     *   from     sums: [36] rows of [rows][bits / 16], of which one vector is read
     *   quads    [bits / 128] longs: the offset in bytes of each quad from {@code to}; 16 floats of 4 rows are written
     *   to       the first channel
     *   point    bytes from one point to the next
     *   rows     channels, at least 1
     *   channel  bytes from one channel to the next
     *   bias     [rows] floats
     *   pitch    bytes from one row of the image to the next
     * </pre>
     */
    public Code output() {
        Assembler asm = new Assembler();
        SAVED.forEach(asm::push);
        Assembler.Label table = asm.label("constants");
        float p2 = p * p, q2 = q * q;
        Constants constants = constants(p, q, p2, q2, p * p2, q * q2);
        LaneShuffles shuffles = LaneShuffles.of(bits);
        constants.load(asm, table);
        shuffles.load(asm, constants.base(), 4 * constants.values().length);
        for (int i = 0; i < quads().size(); i++) {
            asm.mov(quads().get(i), Address.at(RSI, 8 * i));
            asm.add(quads().get(i), RDX);
        }
        asm.mov(RSI, Address.at(RSP, STACK_ARGUMENTS)); // bias
        asm.mov(RAX, Address.at(RSP, STACK_ARGUMENTS + 8)); // pitch
        reserve(asm, 4 * SIDE);
        asm.lea(RBX, Address.at(RAX, RAX, 2, 0)); // three rows
        asm.lea(R15, Address.at(RCX, RCX, 2, 0));
        asm.shl(R15, 1); // six points
        Assembler.Label row = asm.here("row");
        asm.mov(R14, RDI);
        for (int b = 0; b < SIDE; b++) {
            asm.lea(RBP, Address.at(R14, R15, 2, 0));
            asm.add(RBP, R15);
            for (int a = 0; a < SIDE; a++) {
                Register base = a < 3 ? R14 : RBP;
                asm.op(Instruction.VMOVUPS, v(a), a % 3 == 0 ? Address.at(base) : Address.at(base, R15, a % 3, 0));
            }
            outputs(asm, constants);
            for (int a = 0; a < 4; a++) asm.op(Instruction.VMOVUPS_STORE, spillSlot(a * SIDE + b), v(8 + a));
            asm.add(R14, RCX);
        }
        for (int a = 0; a < 4; a++) {
            for (int b = 0; b < SIDE; b++) asm.op(Instruction.VMOVUPS, v(b), spillSlot(a * SIDE + b));
            outputs(asm, constants);
            asm.op(Instruction.VBROADCASTSS, v(12), Address.at(RSI));
            for (int b = 0; b < 4; b++) asm.op(Instruction.VADDPS, v(8 + b), v(8 + b), v(12));
            int outputRow = a;
            shuffles.interleave(
                    asm,
                    quads().stream()
                            .map(quad -> outputRow == 0
                                    ? Address.at(quad)
                                    : outputRow == 3
                                            ? Address.at(quad, RBX, 1, 0)
                                            : Address.at(quad, RAX, outputRow, 0))
                            .toList());
        }
        asm.add(RSI, 4);
        asm.add(RDI, 2 * bytes());
        quads().forEach(quad -> asm.add(quad, R9));
        asm.sub(R8, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, row);
        end(asm, 4 * SIDE);
        asm.bind(table);
        constants.write(asm);
        asm.ints(shuffles.interleaveIndices());
        return asm.code("Winograd output in vectors of " + bits);
    }

    /** Aᵀ: from registers 0 to 5 to registers 8 to 11. */
    private void outputs(Assembler asm, Constants constants) {
        Vector evenP = v(12), oddP = v(13), evenQ = v(14), oddQ = v(15);
        asm.op(Instruction.VADDPS, evenP, v(1), v(2));
        asm.op(Instruction.VSUBPS, oddP, v(1), v(2));
        asm.op(Instruction.VADDPS, evenQ, v(3), v(4));
        asm.op(Instruction.VSUBPS, oddQ, v(3), v(4));
        asm.op(Instruction.VADDPS, v(8), v(0), evenP);
        asm.op(Instruction.VADDPS, v(8), v(8), evenQ);
        asm.op(Instruction.VMULPS, v(9), oddQ, constants.at(1));
        asm.op(Instruction.VFMADD231PS, v(9), oddP, constants.at(0));
        asm.op(Instruction.VMULPS, v(10), evenQ, constants.at(3));
        asm.op(Instruction.VFMADD231PS, v(10), evenP, constants.at(2));
        fma(asm, v(11), constants.at(5), oddQ, v(5));
        asm.op(Instruction.VFMADD231PS, v(11), oddP, constants.at(4));
    }

    /** to = factor · v + more. */
    private static void fma(Assembler asm, Vector to, Operand factor, Vector v, Vector more) {
        asm.op(Instruction.VMOVUPS, to, more);
        asm.op(Instruction.VFMADD231PS, to, v, factor);
    }

    /**
     * Addressed by the last quad register: with 256 bits no quad uses it, and with 512 bits it is free after loading.
     */
    private Constants constants(float... values) {
        return new Constants(bits, R13, 20, values);
    }

    /** The registers that hold each quad's address. */
    private List<Register> quads() {
        return List.of(R10, R11, R12, R13).subList(0, bits / 128);
    }

    private int bytes() {
        return bits / 8;
    }

    private Vector v(int number) {
        return new Vector(number, bits);
    }

    /** A vector's slot on the stack, {@link #reserve reserved} before. */
    private Address spillSlot(int i) {
        return Address.at(RSP, i * bytes());
    }

    /** Reserves vectors on the stack, none of them across two cache lines; overwrites rbx. */
    private void reserve(Assembler asm, int vectors) {
        asm.mov(RBX, RSP);
        asm.sub(RSP, (vectors + 1) * bytes());
        asm.and(RSP, -64);
        asm.mov(spillSlot(vectors), RBX);
    }

    private void end(Assembler asm, int vectors) {
        asm.mov(RSP, spillSlot(vectors));
        asm.vzeroupper();
        for (int i = SAVED.size() - 1; i >= 0; i--) asm.pop(SAVED.get(i));
        asm.ret();
    }
}
