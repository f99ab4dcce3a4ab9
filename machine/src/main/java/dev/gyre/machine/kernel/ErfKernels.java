package dev.gyre.machine.kernel;

import static dev.gyre.machine.assembler.Operand.Register.RAX;
import static dev.gyre.machine.assembler.Operand.Register.RCX;
import static dev.gyre.machine.assembler.Operand.Register.RDI;
import static dev.gyre.machine.assembler.Operand.Register.RDX;
import static dev.gyre.machine.assembler.Operand.Register.RSI;

import dev.gyre.machine.assembler.Assembler;
import dev.gyre.machine.assembler.Code;
import dev.gyre.machine.assembler.Instruction;
import dev.gyre.machine.assembler.Operand.Address;
import dev.gyre.machine.assembler.Operand.Vector;
import java.util.ArrayList;
import java.util.List;

/**
 * The error function as v · p(v²) / q(v²), where v is x clamped to ±bound; Horner's rule with fused multiply-adds.
 *
 * @param bound arguments are clamped to ±bound
 * @param numerator p's coefficients, highest power first
 * @param denominator q's coefficients, likewise
 */
public record ErfKernels(float bound, List<Float> numerator, List<Float> denominator) {
    /**
     * y = value · (½ · gate · (1 + erf(gate · √½))). Arguments: values, gates, y (may alias either), iterations of
     * {@link ElementwiseKernels#UNROLL} floats (at least 1).
     */
    public Code geglu(int bits) {
        ElementwiseKernels rows = new ElementwiseKernels(bits);
        Table table = new Table(bits);
        Assembler asm = new Assembler();
        Assembler.Label constants = asm.label("constants");
        asm.lea(RAX, constants);
        Address half = table.constant(0.5f), one = table.constant(1f), rootHalf = table.constant(0.70710678f);
        Address min = table.constant(-bound), max = table.constant(bound);
        List<Address> p = numerator.stream().map(table::constant).toList();
        List<Address> q = denominator.stream().map(table::constant).toList();
        Assembler.Label loop = asm.here("loop");
        for (int i = 0; i < rows.vectors(); i++) {
            // Separate registers, so that the vectors of an iteration execute in parallel.
            Vector gate = rows.v(5 * i), x = rows.v(5 * i + 1), square = rows.v(5 * i + 2);
            Vector p2 = rows.v(5 * i + 3), q2 = rows.v(5 * i + 4);
            asm.op(Instruction.VMOVUPS, gate, rows.at(RSI, i));
            asm.op(Instruction.VMULPS, x, gate, rootHalf);
            // A comparison with NaN returns the second source, so NaN stays NaN.
            asm.op(Instruction.VMOVUPS, square, max);
            asm.op(Instruction.VMINPS, x, square, x);
            asm.op(Instruction.VMOVUPS, square, min);
            asm.op(Instruction.VMAXPS, x, square, x);
            asm.op(Instruction.VMULPS, square, x, x);
            horner(asm, p2, square, p);
            horner(asm, q2, square, q);
            asm.op(Instruction.VMULPS, x, x, p2);
            asm.op(Instruction.VDIVPS, x, x, q2);
            asm.op(Instruction.VADDPS, x, x, one);
            asm.op(Instruction.VMULPS, gate, gate, half);
            asm.op(Instruction.VMULPS, gate, gate, x);
            asm.op(Instruction.VMULPS, gate, gate, rows.at(RDI, i));
            asm.op(Instruction.VMOVUPS_STORE, rows.at(RDX, i), gate);
        }
        ElementwiseKernels.finish(asm, loop, RCX, RDI, RSI, RDX);
        asm.bind(constants);
        table.write(asm);
        return asm.code("geglu in vectors of " + bits);
    }

    private static void horner(Assembler asm, Vector sum, Vector x, List<Address> coefficients) {
        asm.op(Instruction.VMOVUPS, sum, coefficients.getFirst());
        for (Address next : coefficients.subList(1, coefficients.size())) asm.op(Instruction.VFMADD213PS, sum, x, next);
    }

    /** Constants behind the code, each as a whole vector, addressed by rax. */
    private static final class Table {
        private final int bits;
        private final List<Float> constants = new ArrayList<>();

        Table(int bits) {
            this.bits = bits;
        }

        Address constant(float constant) {
            constants.add(constant);
            return Address.at(RAX, (constants.size() - 1) * bits / 8);
        }

        void write(Assembler asm) {
            for (float constant : constants) for (int lane = 0; lane < bits / 32; lane++) asm.floats(constant);
        }
    }
}
